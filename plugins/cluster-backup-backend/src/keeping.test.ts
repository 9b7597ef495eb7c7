import { TestDatabases } from '@backstage/backend-test-utils';
import { Backup } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { retain } from '@cluster-backup/engine';
import { Simulation } from './__testUtils__/keeping/Simulation';
import { DatabaseBackupRecordStore } from './database/DatabaseBackupRecordStore';
import { DatabaseOperationStore } from './database/DatabaseOperationStore';
import { RecipientProofs } from './database/RecipientProofs';
import { RetentionRecords } from './database/RetentionRecords';
import { nextDue, Schedule } from './schedules/Schedule';

/** `./dev test keeping` has all clusters; every test run has some. */
const WHOLE = process.env.KEEPING === 'whole';
const CLUSTERS = WHOLE ? 1000 : 14;
/** In an hour. */
const KILLS = WHOLE ? 0.02 : 0.008;
const DAYS = 35;
const SEED = 20261123;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START = new Date('2026-10-01T00:00:00Z');
const ADA = 'user:default/ada';
const RECIPIENT = 'age1simulated';
const TERMS = { expireAfterDays: 32, keepReplacedDays: 7 };
const RETENTION = { last: 3, daily: 4, weekly: 3 };
/** No replica runs. */
const DOWN = { from: 20, to: 22 };

jest.setTimeout(90 * 60_000);

const schedules: Schedule[] = [
  { cron: '0 2 * * *', timeZone: 'UTC', jitterMinutes: 60 },
  { cron: '15 */6 * * *', timeZone: 'UTC', jitterMinutes: 0 },
  { cron: '30 2 * * *', timeZone: 'Europe/Berlin', jitterMinutes: 0 },
  { cron: '0 22 * * 5', timeZone: 'America/New_York', jitterMinutes: 30 },
];
const weekly = schedules[3];
const daily = schedules[0];
const yearly = { ...daily, cron: '0 0 1 1 *' };

/** Those that something happens to; the others are only kept. */
const special: Record<string, Schedule> = {
  ...{ unfit: daily, unseen: daily },
  ...{ failing: daily, reserved: daily, unscheduled: daily, spread: daily },
  ...{ damaged: weekly, lost: weekly, expiring: yearly, misconfigured: daily },
};
const refOf = (name: string) => `resource:default/${name}`;
const plain = Array.from(
  { length: CLUSTERS - Object.keys(special).length },
  (_, index) => `cluster-${index}`,
);
const scheduleOf = (name: string) =>
  special[name] ?? schedules[Number(name.split('-')[1]) % schedules.length];

function configuration(day: number) {
  return {
    ...TERMS,
    recipients: [RECIPIENT],
    signingKeyFile: 'signing-key.pem',
    stores: ['local', 'vault', 'far'].map(id => ({ id, simulated: {} })),
    protection: {
      ...{ retention: RETENTION, maxAgeHours: 26, stores: ['local', 'vault'] },
    },
    limits: { portal: 5, store: 7 },
    clusters: [...Object.keys(special), ...plain].map(name => ({
      name,
      ssh: { privateKey: 'none' },
      controlPlane:
        name === 'misconfigured' && day === 12
          ? []
          : [{ name: 'cp-1', address: '127.0.0.1' }],
      protection: {
        ...(name === 'unscheduled' && day < 8
          ? {}
          : { schedule: scheduleOf(name) }),
        ...(scheduleOf(name) === weekly && { maxAgeHours: 8 * 24 }),
        ...(name === 'spread' &&
          day >= 15 && { stores: ['local', 'vault', 'far'] }),
      },
    })),
  };
}
/** With other configurations from these days on. */
const CONFIGURED = [8, 12, 13, 15];

/** Always the same ones, between 0 and 1. */
function random() {
  let state = SEED;
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

const databases = TestDatabases.create({ ids: ['POSTGRES_15'] });
const [[postgres]] = databases.eachSupportedId();

describe(`${CLUSTERS} clusters, ${DAYS} days, two replicas of which one is killed now and then`, () => {
  let simulation: Simulation;
  let backups: DatabaseBackupRecordStore;
  let held: Backup;
  const kills: number[] = [];

  beforeAll(async () => {
    simulation = await Simulation.on(await databases.init(postgres), START);
    backups = new DatabaseBackupRecordStore(simulation.knex);
    await simulation.configure(configuration(0));
    // All clusters are seen for the first time, and due at the next look.
    await simulation.both('due');
    const next = random();
    for (let hour = 0; hour < DAYS * 24; hour++) {
      const day = Math.floor(hour / 24);
      if (day >= DOWN.from && day < DOWN.to) {
        if (hour === DOWN.from * 24) await simulation.stop();
        await until(hour);
        continue;
      }
      if (hour === DOWN.to * 24) await simulation.configure(configuration(day));
      await until(hour);
      if (hour % 24 === 0) await beginDay(day);
      await happen(hour);
      if (next() < KILLS) {
        kills.push(hour);
        const duties = ['due', 'verify', 'check', 'prune', 'watch'] as const;
        const duty = duties[Math.floor(next() * duties.length)];
        await simulation.killIn(duty, next() * 60);
      }
      await live(hour);
    }
  });
  afterAll(async () => {
    await simulation?.close();
  });

  async function until(hour: number) {
    const at = START.getTime() + hour * HOUR_MS;
    await simulation.forward(Math.max(0, at - simulation.at));
  }

  async function beginDay(day: number) {
    if (CONFIGURED.includes(day)) {
      await simulation.configure(configuration(day));
    }
    const { conditions } = simulation;
    const isIn = (from: number, to: number) => day >= from && day < to;
    conditions.failing = isIn(10, 12) ? ['failing'] : [];
    conditions.reserved = isIn(6, 7) ? ['reserved'] : [];
    conditions.unfit = isIn(3, 5) ? ['unfit'] : [];
    conditions.unseen = isIn(4, 6) ? ['unseen'] : [];
    if (day === 16) await proveIdentity();
  }

  /** What people do, and what becomes of stores. */
  async function happen(hour: number) {
    const { conditions } = simulation;
    conditions.away =
      (hour >= 5 * 24 && hour < 5 * 24 + 8) || hour === 18 * 24 + 1
        ? ['vault']
        : [];
    if (hour === 3 * 24) await hold();
    if (hour === 9 * 24) await damage('damaged', ['vault']);
    if (hour === 11 * 24) await damage('lost', ['local', 'vault']);
    if (hour === 18 * 24 + 1) await verify('damaged');
    if (hour === (DAYS - 1) * 24) await backUp('expiring');
  }

  /** An hour of what replicas do. */
  async function live(hour: number) {
    await simulation.both('due');
    await simulation.settle();
    while (await simulation.one('verify')) await simulation.settle();
    // Rounds are few: those that something happens to are the first.
    if (hour % 6 === 0) await simulation.one('check');
    await simulation.settle();
    if (hour % 24 === 5) await simulation.one('prune');
    if (hour % 6 === 1) await simulation.one('watch');
  }

  async function proveIdentity() {
    await new RecipientProofs(simulation.knex).record(RECIPIENT, ADA);
  }

  async function hold() {
    held = (await backups.last(refOf('cluster-0')))!;
    const at = new Date(simulation.at).toISOString();
    await backups.setHold(held.id, { by: ADA, at, reason: 'audit' }, ADA);
  }

  async function backUp(name: string) {
    await new DatabaseOperationStore(simulation.knex).queue({
      ...{ kind: 'backup', clusterRef: refOf(name), requestedBy: ADA },
    });
    await simulation.settle();
  }

  async function damage(name: string, stores: string[]) {
    const { key } = (await backups.last(refOf(name)))!;
    await simulation
      .knex('files')
      .where({ key })
      .whereIn('store', stores)
      .update({ is_damaged: true });
    await verify(name);
  }

  async function verify(name: string) {
    const { id, clusterRef } = (await backups.last(refOf(name)))!;
    await new DatabaseOperationStore(simulation.knex).queue({
      ...{ kind: 'verify', clusterRef, requestedBy: ADA, backupId: id },
    });
    await simulation.settle();
  }

  interface OperationFacts {
    due: string;
    status: string;
    made: number;
  }

  /** Of each cluster, those that a schedule wanted, in their order. */
  async function dueOperations(): Promise<Map<string, OperationFacts[]>> {
    const { rows } = await simulation.knex.raw(
      `select cluster_ref, due_at, status, coalesce(made, 0) as made
       from operations left join (
         select operation_id, count(*) as made from custody where event = 'created' group by operation_id
       ) created on created.operation_id = operations.id
       where kind = 'backup' and due_at is not null order by due_at`,
    );
    const found = new Map<string, OperationFacts[]>();
    for (const row of rows) {
      const of = found.get(row.cluster_ref) ?? [];
      found.set(row.cluster_ref, of);
      of.push({
        due: new Date(Number(row.due_at)).toISOString(),
        status: row.status,
        made: Number(row.made),
      });
    }
    return found;
  }

  /** What the schedule says; of what nobody was there for the first one makes up for all. */
  function expectedDues(name: string): string[] {
    const end = START.getTime() + (DAYS * 24 - 1) * HOUR_MS;
    const down = START.getTime() + (DOWN.from * 24 - 1) * HOUR_MS;
    const up = START.getTime() + DOWN.to * DAY_MS;
    const dues: Date[] = [];
    let at = nextDue(scheduleOf(name), refOf(name), START);
    while (at.getTime() <= end) {
      dues.push(at);
      at = nextDue(scheduleOf(name), refOf(name), at);
    }
    const missed = dues.filter(due => +due > down && +due <= up);
    return dues
      .filter(due => !missed.includes(due) || due === missed[0])
      .map(due => due.toISOString());
  }

  it('killed somebody', () => {
    expect(kills.length).toBeGreaterThan(3);
  });

  it('backs each cluster up soon, then once for each time that it is due, and once for those that were missed', async () => {
    const operations = await dueOperations();
    for (const name of plain) {
      const [first, ...others] = operations.get(refOf(name))!;
      expect(first.due).toBe(START.toISOString());
      expect({ name, dues: others.map(({ due }) => due) }).toEqual({
        ...{ name, dues: expectedDues(name) },
      });
      for (const { status, made } of [first, ...others]) {
        expect({ name, status, made }).toEqual({
          ...{ name, status: 'succeeded', made: 1 },
        });
      }
    }
  });

  it('tries again what failed, until it works', async () => {
    const tried = (await dueOperations()).get(refOf('failing'))!;
    const failed = tried.filter(({ status }) => status === 'failed');
    expect(failed.length).toBeGreaterThan(12);
    for (const { made } of failed) expect(made).toBe(0);
    const last = Date.parse(failed.at(-1)!.due);
    const next = tried.find(({ due }) => Date.parse(due) > last)!;
    expect(next.status).toBe('succeeded');
    expect(Date.parse(next.due) - last).toBeLessThanOrEqual(2 * HOUR_MS);
  });

  it('never runs more at once than it may', async () => {
    const loads = await simulation
      .knex('loads')
      .groupBy('resource')
      .select('resource', {
        most: simulation.knex.raw('max(times)'),
        over: simulation.knex.raw('sum((times > at_most)::int)'),
      });
    expect(loads).toContainEqual(
      expect.objectContaining({ resource: 'portal', most: '5' }),
    );
    for (const { resource, over } of loads) {
      expect({ resource, over }).toEqual({ resource, over: '0' });
    }
  });

  it('removed nothing but what nothing kept for a day, with a newer one verified', async () => {
    const removed = await simulation.knex('removed');
    expect(removed.length).toBeGreaterThan(plain.length * 5);
    for (const row of removed) {
      const keptFor = row.at.getTime() - Number(row.going_since);
      expect(row).toMatchObject({ hold: null, is_newer_verified: true });
      expect(keptFor).toBeGreaterThanOrEqual(DAY_MS);
    }
    expect(await backups.get(held.id)).toMatchObject({ id: held.id });
  });

  it('has kept what the rule keeps, and what goes is on its way', async () => {
    const retention = new RetentionRecords(simulation.knex);
    for (const name of [...plain, ...Object.keys(special)]) {
      const { at, records } = await retention.of(refOf(name));
      const verdicts = retain(
        records.map(({ backup, goingSince }) => ({
          ...{ ...backup, goingSince, createdAt: new Date(backup.createdAt) },
          ...{ isDrilled: false, isNeeded: false, isFound: false },
          isVerified: backup.copies.some(({ state }) => state === 'good'),
          lockedUntil: undefined,
        })),
        {
          ...{ monthly: 0, withinDays: 0, timeZone: 'UTC' },
          ...{ ...TERMS, ...RETENTION },
        },
        at,
      );
      expect(verdicts.length).toBeGreaterThan(0);
      for (const { backup, keptBy } of verdicts) {
        if (keptBy.length) continue;
        const since = +(backup.goingSince ?? at);
        expect(at.getTime() - since).toBeLessThan(2 * DAY_MS);
      }
    }
  });

  it('has the files of all its backups in their stores, and of no others but of who was killed', async () => {
    const { rows: lost } = await simulation.knex.raw(
      `select key, store from backups join backup_copies on backup_id = id
       where state = 'good' and not exists (
         select from files where files.key = backups.key and files.store = backup_copies.store
       )`,
    );
    expect(lost).toEqual([]);
    const { rows: left } = await simulation.knex.raw(
      `select key from files
       where key like '%.age' and not exists (select from backups where backups.key = files.key)`,
    );
    expect(left.length).toBeLessThanOrEqual(kills.length * 2 * 4);
  });

  const codesIn = (row: { codes: string }): string[] => JSON.parse(row.codes);

  it('has reached every reason, and left it', async () => {
    const reached = new Set<string>();
    const left = new Set<string>();
    const before = new Map<string, string[]>();
    for (const row of await simulation.knex('judged').orderBy('number')) {
      const codes = codesIn(row);
      for (const code of codes) reached.add(code);
      for (const code of before.get(row.cluster_ref) ?? []) {
        if (!codes.includes(code)) left.add(code);
      }
      before.set(row.cluster_ref, codes);
    }
    const all = [
      ...['never-backed-up', 'no-schedule', 'no-good-copy', 'too-few-copies'],
      ...['copy-missing', 'copy-damaged', 'copy-unread', 'backup-failed'],
      ...['cannot-be-backed-up', 'backup-too-old', 'backup-expiring'],
      ...['backup-expired', 'reservations', 'identity-unproven'],
      ...['not-restorable', 'check-failed'],
    ].sort();
    expect([...reached].sort()).toEqual(all);
    expect([...left].sort()).toEqual(all);
  });

  it('told owners once of each change, and of nothing else', async () => {
    for (const name of [...plain, ...Object.keys(special)]) {
      const of = { cluster_ref: refOf(name) };
      const judged = await simulation.knex('judged').where(of);
      const notices = await simulation
        .knex('notices')
        .where(of)
        .orderBy('number');
      // Who was killed between telling and writing that down has it told again, in the place of the first.
      const told = notices.filter(
        ({ title, description }, index) =>
          title !== notices[index - 1]?.title ||
          description !== notices[index - 1]?.description,
      );
      expect({ name, times: told.length }).toEqual({
        ...{ name, times: judged.length - 1 },
      });
    }
  });
});
