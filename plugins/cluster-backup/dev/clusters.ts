import { Entity } from '@backstage/catalog-model';
import { Operation } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { aBackup } from '../src/__fixtures__/aBackup';
import { anArchive } from '../src/__fixtures__/anArchive';
import { InMemoryClusterBackup } from '../src/__fixtures__/InMemoryClusterBackup';

const GIB = 1024 ** 3;
const ago = (minutes: number) =>
  new Date(Date.now() - minutes * 60_000).toISOString();
const refOf = (name: string) => `resource:default/${name}`;

/** A portal that knows a cluster in each state. */
export const clusterBackup = new InMemoryClusterBackup();

const reservations = [
  {
    id: 'node-not-ready',
    title: 'A worker is not ready',
    message: 'The kubelet of worker-3 has not reported for 12 minutes.',
    machine: 'worker-3',
  },
  {
    id: 'certificate-expires',
    title: 'A certificate expires within 30 days',
    message: 'apiserver.crt on cp-1 expires on December 9, 2026.',
    machine: 'cp-1',
  },
];

const fault = {
  code: 'host-key-changed',
  message: 'The host key of cp-2 (10.0.0.12:22) is not the one that is known',
  state: 'Nothing was changed. No backup was stored.',
  remedy:
    'Find out why it changed. If the machine was reinstalled, replace its line in known_hosts.',
};

function backupsOf(name: string, count: number) {
  return Array.from({ length: count }, (_, i) =>
    aBackup({
      id: `${name}-${i}`,
      clusterRef: refOf(name),
      createdAt: ago(185 + i * 24 * 60),
      revision: 8_123_456 - i * 91_000,
      reservations: i % 4 === 0 ? reservations.slice(0, 1 + (i % 3)) : [],
      hold:
        i === 1
          ? {
              by: 'user:default/ada',
              at: ago(60),
              reason: 'Before the migration to v1.34: the last known good one.',
            }
          : undefined,
    }),
  );
}

function past(name: string): void {
  const done = (
    minutes: number,
    operation: Partial<Operation>,
    seconds: number,
  ) =>
    clusterBackup.addOperation(
      {
        clusterRef: refOf(name),
        status: 'succeeded',
        requestedAt: ago(minutes),
        startedAt: ago(minutes),
        endedAt: ago(minutes - seconds / 60),
        ...operation,
      },
      { type: 'status', message: 'running' },
      { type: 'step-started', step: 'check', message: 'Check' },
      {
        type: 'note',
        step: 'check',
        machine: 'cp-1',
        message: 'answers over SSH, sudo works',
      },
      { type: 'step-done', step: 'check', message: 'Check' },
      { type: 'step-started', step: 'capture', message: 'Capture and store' },
      { type: 'step-done', step: 'capture', message: 'Capture and store' },
    );
  done(3000, { status: 'failed', fault }, 4);
  done(1625, {}, 41);
  done(200, { kind: 'check', findings: [] }, 6);
  done(185, {}, 39);
}

clusterBackup.addCluster(refOf('production'), {
  backups: backupsOf('production', 23),
});
past('production');
clusterBackup.assessment = {
  advice: 'back-up-survivor',
  message:
    'etcd has lost its quorum. cp-1 still has its data (revision 48213), later than any backup.',
  remedy: 'Back up cp-1 (backup --without-quorum), and restore that backup.',
  survivor: 'cp-1',
};
clusterBackup.kept.set(refOf('production'), {
  kept: ['cp-1', 'cp-2', 'cp-3'].map(machine => ({
    machine,
    operation: 'restore-20261120T101500Z-1f2e3d4c',
    path: '/var/lib/etcd/.cluster-backup-restore-20261120T101500Z-1f2e3d4c',
    bytes: 734_003_200,
    since: new Date(Date.now() - 3 * 86_400_000).toISOString(),
  })),
  unread: [],
  keepReplacedDays: 7,
});

clusterBackup.addCluster(refOf('unprotected'));

clusterBackup.addCluster(refOf('gdc-admin'), {
  stores: ['local', 'offsite'],
  supportLink: { url: 'https://help.example.com/', title: 'Platform team' },
  backups: backupsOf('gdc-admin', 2).map(backup => ({
    ...backup,
    gdc: { type: 'admin' },
    versions: { ...backup.versions, gdc: '1.32.100-gke.42' },
  })),
});
clusterBackup.managed = {
  clusters: [
    { name: 'shop', namespace: 'cluster-shop', change: 'back' },
    { name: 'kiosk', namespace: 'cluster-kiosk', change: 'forgotten' },
    { name: 'old', namespace: 'cluster-old', change: 'returns' },
    { name: 'edge', namespace: 'cluster-edge', change: 'same' },
  ],
};

clusterBackup.addCluster(refOf('gdc-user'), {
  backups: backupsOf('gdc-user', 2).map(backup => ({
    ...backup,
    gdc: { type: 'user', managedBy: 'gdc-admin' },
    versions: { ...backup.versions, gdc: '1.32.100-gke.42' },
  })),
});
clusterBackup.differing = [
  {
    kind: 'Secret',
    namespace: 'cluster-shop',
    name: 'ssh-key',
    difference: 'differs',
    resourceVersion: '7',
    fields: [{ name: 'id_rsa', change: 'changed' }],
  },
  {
    kind: 'Secret',
    namespace: 'anthos-creds',
    name: 'gke-connect',
    difference: 'missing',
    fields: [],
  },
  {
    kind: 'Cluster',
    namespace: 'cluster-shop',
    name: 'shop',
    difference: 'differs',
    resourceVersion: '9',
    fields: [
      { name: 'spec.anthosBareMetalVersion', change: 'changed' },
      { name: 'spec.clusterOperations.enableApplication', change: 'added' },
    ],
  },
];
clusterBackup.putBack = {
  created: ['Secret anthos-creds/gke-connect'],
  updated: ['Secret cluster-shop/ssh-key'],
  same: [],
  failed: [],
};

clusterBackup.addCluster(refOf('running'), {
  backups: backupsOf('running', 3),
});
past('running');
clusterBackup.addOperation(
  {
    clusterRef: refOf('running'),
    startedAt: ago(0.4),
    step: { name: 'capture', title: 'Capture and store' },
    bytes: { done: 0.37 * GIB, total: 1.1 * GIB, rate: 88 * 1024 ** 2 },
  },
  { type: 'step-started', step: 'check', message: 'Check' },
  { type: 'note', machine: 'cp-1', message: 'answers over SSH, sudo works' },
  { type: 'step-done', step: 'check', message: 'Check' },
  {
    type: 'step-started',
    step: 'choose',
    message: 'Choose the fittest member',
  },
  { type: 'note', machine: 'cp-2', message: 'is a follower and caught up' },
  { type: 'step-done', step: 'choose', message: 'Choose the fittest member' },
  { type: 'step-started', step: 'capture', message: 'Capture and store' },
);

clusterBackup.addCluster(refOf('interrupted'), {
  backups: backupsOf('interrupted', 2),
});
clusterBackup.addOperation(
  {
    clusterRef: refOf('interrupted'),
    kind: 'restore',
    status: 'interrupted',
    startedAt: ago(3),
    backupId: 'interrupted-0',
    needsArchive: true,
    step: { name: 'park-etcd', title: 'Stop etcd' },
  },
  { type: 'step-started', step: 'claim', message: 'Claim every machine' },
  { type: 'step-done', step: 'claim', message: 'Claim every machine' },
  { type: 'step-started', step: 'park-etcd', message: 'Stop etcd' },
);

clusterBackup.addCluster(refOf('forward'), {
  backups: backupsOf('forward', 2),
});
clusterBackup.addOperation(
  {
    clusterRef: refOf('forward'),
    kind: 'restore',
    status: 'interrupted',
    startedAt: ago(3),
    backupId: 'forward-0',
    onlyForward: true,
    step: { name: 'return-api-servers', title: 'Start the API servers' },
    fault: {
      code: 'api-server-not-ready',
      message: 'The API server of cp-3 is not ready after 5 minutes',
      state: 'cp-1 and cp-2 serve the restored data; cp-3 does not.',
      remedy: 'Look at the log of kube-apiserver on cp-3, then resume.',
    },
  },
  {
    type: 'step-started',
    step: 'return-api-servers',
    message: 'Start the API servers',
  },
);

clusterBackup.addCluster(refOf('failed'), {
  backups: backupsOf('failed', 1),
});
clusterBackup.addOperation(
  {
    clusterRef: refOf('failed'),
    status: 'failed',
    requestedAt: ago(2),
    startedAt: ago(2),
    endedAt: ago(1.9),
    step: { name: 'check', title: 'Check' },
    fault,
  },
  { type: 'step-started', step: 'check', message: 'Check' },
);

clusterBackup.addCluster(refOf('checked'), {
  backups: backupsOf('checked', 1),
});
clusterBackup.addOperation({
  clusterRef: refOf('checked'),
  kind: 'check',
  status: 'running',
  startedAt: ago(0.2),
  findings: [
    {
      check: 'members',
      level: 'refusal',
      code: 'no-fit-member',
      message: 'No member is fit: cp-2 is corrupt, cp-1 and cp-3 are silent',
      remedy: 'Bring cp-1 or cp-3 back first.',
    },
    {
      check: 'certificates',
      level: 'reservation',
      code: 'certificate-expires',
      machine: 'cp-1',
      message: 'apiserver.crt expires on December 9, 2026',
      remedy: 'kubeadm certs renew apiserver',
    },
    ...['clocks', 'disks', 'kubelets'].map(check => ({
      check,
      level: 'ok' as const,
      code: check,
      message: check,
      remedy: '',
    })),
  ],
});

clusterBackup.addCluster(refOf('reader'), {
  backups: backupsOf('reader', 2),
  allowed: {
    create: { allowed: true },
    restore: {
      allowed: false,
      reason:
        'Only members of group:default/platform, which owns this cluster, may restore it.',
    },
    approve: {
      allowed: false,
      reason:
        'Only members of group:default/platform, which owns this cluster, may approve a restore of it.',
    },
    approveAlone: { allowed: false },
    manage: {
      allowed: false,
      reason:
        'Only members of group:default/platform, which owns this cluster, may say which of its backups are kept.',
    },
    reveal: {
      allowed: false,
      reason:
        'Only members of group:default/platform, which owns this cluster, may get a kubeconfig of it.',
    },
  },
});
past('reader');

clusterBackup.addCluster(refOf('second-person'), {
  backups: backupsOf('second-person', 3),
  needsSecondPerson: true,
  allowed: {
    create: { allowed: true },
    restore: { allowed: true },
    approve: { allowed: true },
    approveAlone: { allowed: true },
    manage: { allowed: true },
    reveal: { allowed: true },
  },
});
past('second-person');
for (const request of [
  {
    status: 'void' as const,
    voidBecause: ['A restore of the cluster was begun since.'],
  },
  {
    status: 'approved' as const,
    requestedBy: 'user:development/guest',
    decision: {
      by: 'user:default/bob',
      at: ago(5),
      isEmergency: true,
      reason: 'Nobody else answers, and the shop is down.',
    },
  },
  {
    withFiles: true,
    overrides: ['clock-skew'],
    check: {
      id: 'check',
      status: 'succeeded' as const,
      findings: [
        {
          check: 'clocks',
          level: 'refusal' as const,
          code: 'clock-skew',
          machine: 'cp-2',
          message: 'The clock of cp-2 is 42.0 seconds behind this one.',
          remedy: 'Set the clock of cp-2 (chronyc makestep).',
        },
      ],
    },
  },
]) {
  clusterBackup.addRequest({
    clusterRef: refOf('second-person'),
    backupId: 'second-person-0',
    requestedAt: ago(30),
    expiresAt: ago(-23 * 60),
    ...request,
  });
}

clusterBackup.addCluster(refOf('unconfigured'), { name: undefined });

/** The clusters of the catalog; user clusters depend on `production`. */
export const entities: Entity[] = [
  'production',
  'unprotected',
  'second-person',
  'gdc-admin',
  'gdc-user',
  'running',
  'interrupted',
  'forward',
  'failed',
  'checked',
  'reader',
  'unconfigured',
].map(name => ({
  apiVersion: 'backstage.io/v1alpha1',
  kind: 'Resource',
  metadata: { name, namespace: 'default' },
  spec: { type: 'kubernetes-cluster', owner: 'platform' },
  relations:
    name === 'production'
      ? ['unprotected', 'failed', 'unconfigured'].map(user => ({
          type: 'dependencyOf',
          targetRef: refOf(user),
        }))
      : [{ type: 'dependsOn', targetRef: refOf('production') }],
}));

// A backup that was asked for here runs to its end.
setInterval(async () => {
  if (clusterBackup.refusal) return;
  for (const { name } of entities.map(({ metadata }) => metadata)) {
    const { current } = await clusterBackup.getCluster(refOf(name));
    if (name === 'running' || !current || current.status === 'interrupted') {
      continue;
    }
    advance(name, current);
  }
}, 1_000);

function advance(name: string, operation: Operation): void {
  const { id, kind, status, bytes } = operation;
  const step = { name: 'capture', title: 'Capture and store' };
  const end = { endedAt: new Date().toISOString(), bytes: undefined };
  if (operation.cancelRequested) {
    clusterBackup.tell(id, { status: 'cancelled', ...end });
  } else if (status === 'queued') {
    clusterBackup.tell(
      id,
      { status: 'running', startedAt: new Date().toISOString(), step },
      { type: 'step-started', step: step.name, message: step.title },
    );
  } else if (kind !== 'check' && (bytes?.done ?? 0) < GIB) {
    const done = Math.min((bytes?.done ?? 0) + GIB / 8, GIB);
    clusterBackup.tell(id, { bytes: { done, total: GIB, rate: GIB / 8 } });
  } else {
    clusterBackup.tell(
      id,
      {
        status: 'succeeded',
        ...(kind === 'restore' && { outageSeconds: 24 }),
        ...end,
      },
      { type: 'step-done', step: step.name, message: step.title },
    );
    if (kind === 'backup') {
      clusterBackup.addBackup(
        aBackup({
          id,
          clusterRef: refOf(name),
          createdAt: new Date().toISOString(),
        }),
      );
    }
  }
}

anArchive().then(({ identity, header }) => {
  clusterBackup.setHeader(header);
  // eslint-disable-next-line no-console
  console.info(`This identity opens the backups of this app: ${identity}`);
});
