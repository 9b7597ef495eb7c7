import { gdcClusterOf, GdcCluster, KubernetesObject } from '../gdc';
import {
  clusterResource,
  gdcAccess,
  nodePool,
  sshKeySecret,
} from '../gdc/__testUtils__/gdcObjects';
import { CheckSubject } from './Check';
import { gdcState } from './gdcState';

async function found(
  objects: KubernetesObject[],
  more: Partial<GdcCluster> = {},
  purpose: CheckSubject['purpose'] = 'backup',
) {
  const gdc: GdcCluster = {
    ...gdcClusterOf(gdcAccess(), [...objects, sshKeySecret]),
    sshKeyFrom: 'cluster-prod/ssh-key',
    runningJobs: [],
    ...more,
  };
  const subject = { purpose, cluster: { access: { gdc } } };
  const findings = await gdcState.run(subject as unknown as CheckSubject);
  return findings.map(({ code, level }) => `${code} ${level}`);
}
const moving = [{ type: 'Reconciling', status: 'True', message: 'creating' }];

it('finds nothing in a cluster that stands still', async () => {
  expect(
    await found([clusterResource(), nodePool('np1', ['10.0.0.9'])]),
  ).toEqual([]);
});

it.each<[string, KubernetesObject[], Partial<GdcCluster>, string[]]>([
  [
    'an upgrade under way',
    [clusterResource({}, { anthosBareMetalVersion: '1.31.0-gke.1' })],
    {},
    ['gdc-upgrade-unfinished reservation'],
  ],
  [
    'that nobody tells a state',
    [{ ...clusterResource(), status: undefined }],
    {},
    ['gdc-state-unknown reservation'],
  ],
  [
    'a state that is not Running',
    [clusterResource({}, { clusterState: 'Degraded' })],
    {},
    ['gdc-not-running reservation'],
  ],
  [
    'a Cluster that reconciles',
    [clusterResource({}, { conditions: moving })],
    {},
    ['gdc-reconciling reservation'],
  ],
  [
    'a control plane that reconciles, deeper in the status',
    [
      clusterResource(
        {},
        { controlPlaneNodePoolStatus: { conditions: moving } },
      ),
    ],
    {},
    ['gdc-reconciling reservation'],
  ],
  [
    'a NodePool that reconciles',
    [
      clusterResource(),
      { ...nodePool('np1', ['10.0.0.9']), status: { conditions: moving } },
    ],
    {},
    ['gdc-reconciling reservation'],
  ],
  [
    'a version of later',
    [
      clusterResource(
        { anthosBareMetalVersion: '1.99.0-gke.1' },
        { anthosBareMetalVersion: '1.99.0-gke.1' },
      ),
    ],
    {},
    ['gdc-version-unknown reservation'],
  ],
  [
    'a key of the configuration',
    [clusterResource()],
    { sshKeyFrom: undefined },
    ['gdc-ssh-key-not-captured reservation'],
  ],
  [
    'a job',
    [clusterResource()],
    { runningJobs: ['bm-system-cplb-update-1'] },
    ['gdc-job-running reservation'],
  ],
])('tells %s', async (_, objects, more, expected) => {
  expect(await found(objects, more)).toEqual(expected);
});

it('refuses to restore a user cluster while its manager works on its machines', async () => {
  const runningJobs = ['bm-system-cplb-update-1'];
  const user = [clusterResource({ type: 'user' })];
  expect(await found(user, { runningJobs }, 'restore')).toEqual([
    'gdc-job-running refusal',
  ]);
  const admin = [clusterResource()];
  expect(await found(admin, { runningJobs }, 'restore')).toEqual([
    'gdc-job-running reservation',
  ]);
});

it('does not take the state in an archive for the state of now', async () => {
  const old = [
    clusterResource({}, { conditions: moving, clusterState: 'Old' }),
  ];
  expect(await found(old, { archivedSha256: 'ab' })).toEqual([]);
});
