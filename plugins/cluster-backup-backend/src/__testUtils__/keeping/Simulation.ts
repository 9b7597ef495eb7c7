import { ChildProcess, fork } from 'node:child_process';
import { on, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import knexFactory, { Knex } from 'knex';
import { openDatabase } from '../../database/openDatabase';
import { Ask, Duty } from './replica';
import { Conditions } from './simulatedEngine';

const REPLICA = require.resolve('./replica');
/** Longer than a lease: who was killed has lost what it ran. */
const LEASE_OVER_MS = 31_000;

/**
 * PostgreSQL looks for a function in the schemas of the search path first: there is a clock, and it stands until it is
 * put forward. All that the product asks the database about time it asks this clock.
 */
const GROUND = `
  create schema simulation;
  set search_path to simulation, pg_catalog;
  create table clock (at timestamptz not null);
  insert into clock values (to_timestamp(0));
  create function clock_timestamp() returns timestamptz language sql stable
    as $$ select at from simulation.clock $$;
  create table files (
    store text, key text, is_damaged boolean not null default false, primary key (store, key)
  );
  create table notices (
    number bigserial, at timestamptz default simulation.clock_timestamp(), cluster_ref text, title text,
    description text, excepted text
  );
  create table judged (
    number bigserial, at timestamptz default simulation.clock_timestamp(), cluster_ref text, level text, codes text
  );
  create table removed (
    at timestamptz default simulation.clock_timestamp(), key text, cluster_ref text, hold text, going_since bigint,
    is_newer_verified boolean
  );
  create table loads (resource text, times bigint, at_most bigint);
`;

/** What is written down while it happens, whoever does it. */
const WITNESSES = `
  create function witness_judged() returns trigger language plpgsql as $$ begin
    insert into simulation.judged (cluster_ref, level, codes)
      values (new.cluster_ref, new.level, new.codes);
    return new;
  end $$;
  create trigger judged after insert or update of level, codes on cluster_protection
    for each row execute function witness_judged();
  create function witness_removed() returns trigger language plpgsql as $$ begin
    insert into simulation.removed (key, cluster_ref, hold, going_since, is_newer_verified)
      select old.key, old.cluster_ref, old.hold, old.going_since, exists (
        select from simulation.backups newer join simulation.backup_copies on backup_id = newer.id
        where newer.cluster_ref = old.cluster_ref and newer.created_at > old.created_at
          and state = 'good' and not newer.before_restore
      );
    return old;
  end $$;
  create trigger removed before delete on backups for each row execute function witness_removed();
  create function witness_load() returns trigger language plpgsql as $$ begin
    insert into simulation.loads
      select slots.resource, count(*), min(slots.at_most) from simulation.operation_slots slots
        join simulation.operations running on running.id = slots.operation_id and running.status = 'running'
        where slots.resource in (select resource from simulation.operation_slots where operation_id = new.id)
        group by slots.resource;
    return new;
  end $$;
  create trigger loads after update of status on operations
    for each row when (new.status = 'running') execute function witness_load();
`;

/** Two replicas on one database, and the time that passes for them. */
export class Simulation {
  readonly conditions: Conditions = {
    ...{ away: [], failing: [], reserved: [], unfit: [], unseen: [] },
  };
  /** Milliseconds since 1970. */
  at: number;
  private readonly replicas: ChildProcess[] = [];
  private turn = 0;

  private constructor(
    readonly knex: Knex,
    private readonly connection: unknown,
    private readonly folder: string,
    start: Date,
  ) {
    this.at = start.getTime();
  }

  static async on(database: Knex, start: Date): Promise<Simulation> {
    await database.raw(GROUND);
    const { connection } = database.client.config;
    const knex = knexFactory({
      client: 'pg',
      connection,
      searchPath: ['simulation', 'pg_catalog'],
    });
    await openDatabase({ getClient: async () => knex });
    await knex.raw(WITNESSES);
    const folder = await mkdtemp(join(tmpdir(), 'cluster-backup-keeping-'));
    return new Simulation(knex, connection, folder, start);
  }

  /** Starts both replicas with a configuration; those that run are stopped before. */
  async configure(clusterBackup: object) {
    await this.stop();
    await writeFile(this.configFile, JSON.stringify({ clusterBackup }));
    await this.putClock();
    await Promise.all([this.start(0), this.start(1)]);
  }

  /** Both are asked at once. */
  async both(duty: Duty): Promise<void> {
    await Promise.all(this.replicas.map(replica => this.ask(replica, duty)));
  }

  /** One of them is asked, the other one the next time. */
  async one(duty: Duty): Promise<number> {
    this.turn = 1 - this.turn;
    return this.ask(this.replicas[this.turn], duty);
  }

  /** Kills one in the middle of what it is asked for, and starts it again. */
  async killIn(duty: Duty, afterMs: number) {
    this.turn = 1 - this.turn;
    const victim = this.replicas[this.turn];
    const asked = this.ask(victim, duty).catch(() => {});
    await new Promise(resolve => setTimeout(resolve, afterMs));
    victim.kill('SIGKILL');
    await once(victim, 'exit');
    await asked;
    await this.forward(LEASE_OVER_MS);
    await this.start(this.turn);
  }

  async forward(ms: number) {
    this.at += ms;
    await this.putClock();
  }

  /** Until nothing waits that could run. */
  async settle() {
    for (;;) {
      const { rows } = await this.knex.raw(
        `select count(*) from operations where status in ('queued', 'running')`,
      );
      if (Number(rows[0].count) === 0) return;
      await new Promise(resolve => setTimeout(resolve, 5));
    }
  }

  async stop() {
    const running = this.replicas.splice(0);
    await Promise.all(
      running.map(async replica => {
        const exited = once(replica, 'exit');
        await this.ask(replica, 'stop');
        await exited;
      }),
    );
  }

  async close() {
    for (const replica of this.replicas) replica.kill('SIGKILL');
    await this.knex.destroy();
    await rm(this.folder, { recursive: true, force: true });
  }

  private get configFile() {
    return join(this.folder, 'config.json');
  }

  private async start(place: number) {
    const replica = fork(REPLICA, [], {
      execArgv: [
        ...[
          '--require',
          require.resolve('@backstage/cli/config/nodeTransform.cjs'),
        ],
      ],
      env: {
        ...process.env,
        REPLICA: JSON.stringify({
          connection: this.connection,
          configFile: this.configFile,
        }),
      },
    });
    this.replicas[place] = replica;
    await answer(replica);
  }

  private async ask(replica: ChildProcess, duty: Duty): Promise<number> {
    const asked: Ask = { duty, at: this.at, ...this.conditions };
    const answered = answer(replica);
    replica.send(asked);
    return answered;
  }

  private async putClock() {
    await this.knex.raw('update clock set at = to_timestamp(?)', [
      this.at / 1000,
    ]);
  }
}

/** What a replica says when it has done what it was asked. */
async function answer(replica: ChildProcess): Promise<number> {
  const over = new AbortController();
  const { signal } = over;
  const gone = once(replica, 'exit', { signal }).then(() => {
    throw new Error('The replica is gone.');
  });
  const said = listen(replica, signal);
  // Whichever comes second is of no interest.
  for (const either of [gone, said]) either.catch(() => {});
  try {
    return await Promise.race([said, gone]);
  } finally {
    over.abort();
  }
}

async function listen(
  replica: ChildProcess,
  signal: AbortSignal,
): Promise<number> {
  for await (const [said] of on(replica, 'message', { signal })) {
    // What makes JavaScript of sources speaks here as well.
    if (said.failed !== undefined) throw new Error(said.failed);
    if (said.done !== undefined) return said.done;
  }
  throw new Error('Nobody listens any more.');
}
