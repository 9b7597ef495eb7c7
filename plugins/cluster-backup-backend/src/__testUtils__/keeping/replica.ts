import { readFileSync } from 'node:fs';
import {
  AuditorService,
  AuthService,
  LoggerService,
  RootConfigService,
} from '@backstage/backend-plugin-api';
import { ConfigReader } from '@backstage/config';
import { CatalogService } from '@backstage/plugin-catalog-node';
import { readConfiguration } from '@cluster-backup/engine';
import knexFactory from 'knex';
import { ClusterSchedules } from '../../database/ClusterSchedules';
import { DatabaseBackupRecordStore } from '../../database/DatabaseBackupRecordStore';
import { DatabaseOperationStore } from '../../database/DatabaseOperationStore';
import { KnownProtection } from '../../database/KnownProtection';
import { RecipientProofs } from '../../database/RecipientProofs';
import { RetentionRecords } from '../../database/RetentionRecords';
import { checkDue } from '../../operations/checkInTurn';
import { ClusterOperations } from '../../operations/ClusterOperations';
import { ConfiguredClusters } from '../../operations/ConfiguredClusters';
import { readLimits } from '../../operations/limits';
import { OperationWorker } from '../../operations/OperationWorker';
import { readProtection } from '../../operations/protection';
import { queueVerifications } from '../../operations/verifyInTurn';
import { lookAtProtection } from '../../protection/watchProtection';
import { pruneAll } from '../../retention/pruneBackups';
import { queueDue } from '../../schedules/scheduleBackups';
import {
  conditions,
  Conditions,
  startSimulatedEngine,
} from './simulatedEngine';
import { ground } from './simulatedStore';

/*
 * A replica of the portal as far as it keeps backups: in a process of its own, that may be killed. What it does, and what
 * time it is, it is told.
 */

/** What is done, for the parent to ask for. */
export type Duty = 'due' | 'verify' | 'check' | 'prune' | 'watch' | 'stop';

export interface Ask extends Conditions {
  duty: Duty;
  /** Milliseconds since 1970. */
  at: number;
}

let at = 0;
/** The clock of this process is the simulation's. */
class SimulatedDate extends Date {
  constructor(...given: [] | [number | string | Date]) {
    super(...((given.length ? given : [at]) as [number]));
  }
  static now() {
    return at;
  }
}
globalThis.Date = SimulatedDate as DateConstructor;

const { connection, configFile } = JSON.parse(process.env.REPLICA!);
const config: RootConfigService = new ConfigReader(
  JSON.parse(readFileSync(configFile, 'utf8')),
);
const knex = knexFactory({
  client: 'pg',
  connection,
  searchPath: ['simulation', 'pg_catalog'],
  pool: { min: 0, max: 10 },
});
ground.knex = knex;

const silent = () => {};
const logger = {
  ...{ debug: silent, info: silent, warn: silent },
  error: (message: string, cause?: Error) =>
    process.stderr.write(`${message}: ${cause?.stack ?? cause}\n`),
} as unknown as LoggerService;
const auditor = {
  createEvent: async () => ({ success: async () => {}, fail: async () => {} }),
} as unknown as AuditorService;
const auth = {
  getOwnServiceCredentials: async () => ({}),
} as unknown as AuthService;
const catalog = {
  getEntityByRef: async (ref: string) => ({
    metadata: { name: ref.split('/')[1] },
  }),
} as unknown as CatalogService;
const operations = new DatabaseOperationStore(knex);
const backups = new DatabaseBackupRecordStore(knex);
const retention = new RetentionRecords(knex);
const clusters = new ConfiguredClusters({
  configuration: readConfiguration(config.get('clusterBackup'), {
    folder: process.cwd(),
    origin: 'of the simulation',
  }),
  storeTypes: [
    {
      type: 'simulated',
      modulePath: require.resolve('./simulatedStore'),
    },
  ],
  backups,
  limits: readLimits(config),
});
const protectionOf = readProtection(config);
const worker = new OperationWorker({
  store: operations,
  jobOf: claim => clusters.jobOf(claim),
  lookAt: async operation => clusters.lookJob(operation),
  logger,
  engine: startSimulatedEngine,
});
const nobody = undefined as never;
const clusterOperations = new ClusterOperations({
  ...{ clusters, operations, backups, worker, logger },
  restoreRequests: nobody,
  portalsOwn: nobody,
});
const never = new AbortController().signal;
const duties: Record<Duty, () => Promise<unknown>> = {
  due: () =>
    queueDue({
      ...{ clusters, protectionOf, logger },
      schedules: new ClusterSchedules(knex),
      wake: () => worker.wake(),
    }),
  async verify() {
    const queued = await queueVerifications({
      ...{ operations, backups, clusterOperations },
    });
    worker.wake();
    return queued;
  },
  async check() {
    await checkDue({ clusters, operations, clusterOperations });
    worker.wake();
  },
  prune: () => pruneAll({ clusters, retention, logger, auditor }, never),
  watch: () =>
    lookAtProtection(
      {
        ...{ catalog, clusters, operations, backups, protectionOf, logger },
        auth,
        recipientProofs: new RecipientProofs(knex),
        known: new KnownProtection(knex),
        notifyOwners: async (entity, { title, description, except }) => {
          await knex('notices').insert({
            cluster_ref: `resource:default/${entity.metadata.name}`,
            title,
            description,
            excepted: except ?? null,
          });
        },
      },
      never,
    ),
  async stop() {
    await worker.stop();
    await knex.destroy();
  },
};

process.on('message', async (ask: Ask) => {
  at = ask.at;
  const { duty, at: _, ...now } = ask;
  Object.assign(conditions, now);
  ground.away = now.away;
  try {
    const done = await duties[duty]();
    process.send!({ done: Number(done ?? 0) });
  } catch (error) {
    process.send!({ failed: (error as Error).stack });
  }
  if (duty === 'stop') process.disconnect();
});
process.on('disconnect', () => process.exit());
worker.start();
process.send!({ done: 0 });
