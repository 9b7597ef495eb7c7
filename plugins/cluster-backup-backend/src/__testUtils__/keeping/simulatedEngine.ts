import {
  archiveName,
  ArchiveSummary,
  ClusterBackupError,
  Finding,
  summaryName,
} from '@cluster-backup/engine';
import { foreseen } from '../../operations/fault';
import { CheckJob, FoundCopy, Job, Outcome } from '../../operations/Job';
import { startEngine } from '../../operations/startEngine';
import { ground, refuseAway } from './simulatedStore';

/** What goes wrong now. */
export interface Conditions {
  /** Stores that do not answer. */
  away: string[];
  /** Names of clusters whose backups fail, and whose backups have a reservation. */
  failing: string[];
  reserved: string[];
  /** Of those that could not be restored, and those whose machines nobody can look at. */
  unfit: string[];
  unseen: string[];
}

export const conditions: Conditions = {
  ...{ away: [], failing: [], reserved: [], unfit: [], unseen: [] },
};

type BackupJob = Extract<Job, { type: 'backup' }>;
type VerifyJob = Extract<Job, { type: 'verify' }>;

/** Does what the engine does with stores, in no time and without machines. */
export const startSimulatedEngine: typeof startEngine = job => {
  const outcome = perform(job).catch((error): Outcome => {
    const fault = foreseen(error);
    if (!fault) throw error;
    return { type: 'failed', fault, unfinished: 'none' };
  });
  outcome.catch(() => {});
  return { outcome, cancel: () => {}, kill: async () => {} };
};

async function perform(job: Job): Promise<Outcome> {
  switch (job.type) {
    case 'backup':
      return backUp(job);
    case 'verify':
      return { type: 'verified', copies: await verify(job) };
    case 'check':
      return { type: 'checked', findings: check(job) };
    default:
      throw new Error(`Nobody simulates ${job.type}`);
  }
}

function check({ cluster: { name } }: CheckJob): Finding[] {
  if (conditions.unseen.includes(name)) throw problem('api-unreachable');
  if (!conditions.unfit.includes(name)) return [];
  const message = 'A disk is too small.';
  return [
    {
      ...{ check: 'disks', level: 'refusal', code: 'disk-too-small' },
      ...{ message, remedy: 'Make room on it.' },
    },
  ];
}

async function backUp(job: BackupJob): Promise<Outcome> {
  const { name } = job.cluster;
  if (conditions.failing.includes(name)) throw problem('etcd-no-fit-member');
  const at = new Date();
  const key = `${job.folder}/abababab/${archiveName(name, at)}`;
  const copies: FoundCopy[] = [];
  for (const { id } of job.stores) {
    const copy = await attempt(id, () => write(id, key));
    copies.push(copy.fault ? { ...copy, state: 'missing' } : copy);
  }
  if (copies.every(({ state }) => state !== 'good')) {
    throw problem('no-copy-stored');
  }
  const reservations = conditions.reserved.includes(name)
    ? [{ id: 'clock-skew', title: 'Clocks', message: 'A clock is late.' }]
    : [];
  const summary = {
    description: {
      cluster: { name, layout: 'kubeadm' },
      createdAt: at.toISOString(),
      snapshot: { member: 'cp-1', size: 1 },
      versions: { etcd: '3.5.16' },
      nodes: [],
      reservations,
    },
    facts: { revision: 1 },
    ciphertext: { size: 1, sha256: 'a'.repeat(64) },
    signer: 'SHA256:simulated',
  } as unknown as ArchiveSummary;
  return { type: 'backed-up', key, summary, copies };
}

/** As the engine does: reads all, and makes what is missing of one that is good. */
async function verify({ key, stores }: VerifyJob): Promise<FoundCopy[]> {
  const copies: FoundCopy[] = [];
  for (const { id } of stores) {
    copies.push(
      await attempt(id, async () => {
        const file = await ground.knex!('files')
          .where({ store: id, key })
          .first();
        if (!file) throw problem('store-file-missing');
        if (file.is_damaged) throw problem('copy-damaged');
      }),
    );
  }
  if (copies.every(({ state }) => state !== 'good')) return copies;
  return Promise.all(
    copies.map(copy =>
      copy.state === 'missing'
        ? attempt(copy.store, () => write(copy.store, key))
        : copy,
    ),
  );
}

async function write(store: string, key: string) {
  for (const file of [key, summaryName(key)]) {
    await ground.knex!('files')
      .insert({ store, key: file, is_damaged: false })
      .onConflict(['store', 'key'])
      .ignore();
  }
}

async function attempt(
  store: string,
  act: () => Promise<void>,
): Promise<FoundCopy> {
  try {
    refuseAway(store);
    await act();
    return { store, state: 'good' };
  } catch (error) {
    const fault = foreseen(error);
    if (!fault) throw error;
    const states: Record<string, FoundCopy['state']> = {
      'store-file-missing': 'missing',
      'copy-damaged': 'damaged',
    };
    return { store, state: states[fault.code] ?? 'unknown', fault };
  }
}

function problem(code: string) {
  return new ClusterBackupError({
    code,
    message: `It is simulated: ${code}.`,
    state: 'Nothing was changed.',
    remedy: 'Wait for the simulation to go on.',
  });
}
