import { LifecycleService, LoggerService } from '@backstage/backend-plugin-api';
import {
  MetricsService,
  MetricsServiceObservableCallback,
} from '@backstage/backend-plugin-api/alpha';
import {
  ClusterMeasures,
  Measures,
  OperationMeasures,
} from '../database/Measures';
import { ConfiguredClusters } from '../operations/ConfiguredClusters';
import { Protection } from '../operations/protection';

/** However often somebody asks, the database is asked no more often. */
const FRESH_MS = 15_000;
const LEVELS = { unprotected: 0, 'at-risk': 1, protected: 2 };
const HOUR_S = 3600;
/** Those that nobody is at have a series as well. */
const UNDER_WAY = ['backup', 'check', 'verify'].flatMap(kind =>
  ['queued', 'running'].map(status => ({ kind, status })),
);
const RESTORES = ['running', 'interrupted'].map(status => ({
  kind: 'restore',
  status,
}));

interface Read {
  clusters: ClusterMeasures[];
  operations: OperationMeasures[];
}

/**
 * Has Backstage's metrics service tell how well clusters are protected. Every replica tells the same, from the database:
 * whoever adds them up takes the greatest.
 */
export function measureProtection(options: {
  metrics: MetricsService;
  measures: Measures;
  clusters: ConfiguredClusters;
  protectionOf: (clusterName?: string) => Protection;
  lifecycle: LifecycleService;
  logger: LoggerService;
}): void {
  const { metrics, measures, clusters, protectionOf } = options;
  const { lifecycle, logger } = options;
  let read: Promise<Read | undefined> = Promise.resolve(undefined);
  let readAt = -Infinity;

  /** Nothing where the database does not answer: a series that ends is seen. */
  function readMeasures(): Promise<Read | undefined> {
    if (performance.now() - readAt > FRESH_MS) {
      readAt = performance.now();
      read = Promise.all([measures.ofClusters(), measures.ofOperations()]).then(
        ([ofClusters, operations]) => ({
          // What is not configured any more is nobody's worry.
          clusters: ofClusters.filter(each => clusters.name(each.clusterRef)),
          operations,
        }),
        error => {
          logger.warn('Protection could not be measured', {
            cause: String(error),
          });
          return undefined;
        },
      );
    }
    return read;
  }

  /** Its name says its unit: some ways to Prometheus add it, where it is not there, and some do not. */
  function gauge(
    name: string,
    about: { description: string; unit?: string },
    observe: (
      found: Read,
      tell: Parameters<MetricsServiceObservableCallback>[0],
    ) => void,
  ) {
    const observable = metrics.createObservableGauge(
      `cluster_backup.${name}`,
      about,
    );
    const callback: MetricsServiceObservableCallback = async tell => {
      const found = await readMeasures();
      if (found) observe(found, tell);
    };
    observable.addCallback(callback);
    lifecycle.addShutdownHook(() => observable.removeCallback(callback));
  }

  /** One value of each cluster that has it. */
  function perCluster(
    name: string,
    about: { description: string; unit?: string },
    valueOf: (cluster: ClusterMeasures) => number | undefined,
  ) {
    gauge(name, about, (found, tell) => {
      for (const cluster of found.clusters) {
        const value = valueOf(cluster);
        if (value === undefined) continue;
        tell.observe(value, { cluster: cluster.clusterRef });
      }
    });
  }

  perCluster(
    'protection.level',
    { description: '0 unprotected, 1 at risk, 2 protected' },
    ({ protection }) => protection && LEVELS[protection.level],
  );
  gauge(
    'protection.reason',
    { description: '1 for each reason that makes protection doubtful' },
    (found, tell) => {
      for (const { clusterRef: cluster, protection } of found.clusters) {
        for (const code of protection?.codes ?? []) {
          tell.observe(1, { cluster, code });
        }
      }
    },
  );
  perCluster(
    'protection.judged_seconds',
    { description: 'When protection was judged last, since 1970', unit: 's' },
    ({ protection }) => seconds(protection?.judgedAt),
  );
  perCluster(
    'last_backup.created_seconds',
    { description: 'When the last backup was taken, since 1970', unit: 's' },
    ({ lastBackupAt }) => seconds(lastBackupAt),
  );
  perCluster(
    'last_verified_backup.created_seconds',
    {
      description:
        'When the last backup was taken that has a good copy, since 1970',
      unit: 's',
    },
    ({ lastVerifiedAt }) => seconds(lastVerifiedAt),
  );
  gauge(
    'backup.max_age_seconds',
    { description: 'How old the last backup may be by its rule', unit: 's' },
    (_, tell) => {
      for (const cluster of clusters.clusterRefs) {
        const { maxAgeHours } = protectionOf(clusters.name(cluster));
        if (maxAgeHours === undefined) continue;
        tell.observe(maxAgeHours * HOUR_S, { cluster });
      }
    },
  );
  gauge(
    'operations',
    { description: 'Operations that wait, run or were interrupted' },
    ({ operations }, tell) => {
      for (const { kind, status } of [...UNDER_WAY, ...RESTORES]) {
        const found = operations.find(
          each => each.kind === kind && each.status === status,
        );
        tell.observe(found?.count ?? 0, { kind, status });
      }
    },
  );
}

function seconds(milliseconds?: number): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1000;
}
