import {
  clusterResource,
  gdcAccess,
  nodePool,
  secret,
  SSH_KEY,
  sshKeySecret,
} from './__testUtils__/gdcObjects';
import { GdcAccess } from './GdcAccess';
import { KubernetesObject } from './GdcCluster';
import { gdcClusterOf } from './gdcClusterOf';
import { gdcMachines } from './gdcMachines';

const machinesOf = (
  objects: KubernetesObject[],
  access: Partial<GdcAccess> = {},
) => gdcMachines(gdcClusterOf(gdcAccess(access), objects));

it('reads machines, who logs in, and the key', () => {
  const { controlPlane, workers, sshKeyFrom } = machinesOf(
    [
      clusterResource({
        loadBalancer: {
          nodePoolSpec: {
            nodes: [{ address: '10.0.0.1' }, { address: '10.0.0.8' }],
          },
        },
      }),
      nodePool('cp', ['10.0.0.1'], {
        'baremetal.cluster.gke.io/control-plane': 'true',
      }),
      nodePool('np1', ['10.0.0.9', 'fd00::9']),
      nodePool('np2', ['10.0.0.9']),
      sshKeySecret,
    ],
    { ssh: { port: 2222, hostKeys: { mode: 'strict', knownHosts: 'known' } } },
  );
  const common = {
    port: 2222,
    user: 'ops',
    privateKey: SSH_KEY,
    hostKeys: { mode: 'strict', knownHosts: 'known' },
  };
  expect(controlPlane).toEqual([
    { ...common, name: '10.0.0.1', address: '10.0.0.1' },
    { ...common, name: '10.0.0.2', address: '10.0.0.2' },
  ]);
  expect(workers.map(({ name, address }) => [name, address])).toEqual([
    ['10.0.0.8', '10.0.0.8'],
    ['10.0.0.9', '10.0.0.9'],
    ['fd00--9', 'fd00::9'],
  ]);
  expect(sshKeyFrom).toBe('cluster-prod/ssh-key');
});

it('logs in as root where nobody else is named', () => {
  const [machine] = machinesOf([
    clusterResource({ nodeAccess: undefined }),
    sshKeySecret,
  ]).controlPlane;
  expect(machine.user).toBe('root');
});

it('finds the key where bmctl keeps the original, and where it is configured to be', () => {
  const original = secret('anthos-creds', 'ssh-key', { id_rsa: SSH_KEY });
  const own = secret('vault', 'machines', { id_rsa: SSH_KEY });
  const { sshKeyFrom } = machinesOf([clusterResource(), original]);
  expect(sshKeyFrom).toBe('anthos-creds/ssh-key');
  const secrets = {
    sshKey: [{ namespace: 'vault', name: 'machines' }],
    gcpKeys: [],
  };
  expect(
    machinesOf([clusterResource(), original, own], { secrets }).sshKeyFrom,
  ).toBe('vault/machines');
});

it('takes the configured key and user before those of the cluster', () => {
  const { controlPlane, sshKeyFrom } = machinesOf([clusterResource()], {
    ssh: { hostKeys: { mode: 'strict' }, user: 'root', privateKey: 'mine' },
  });
  expect(controlPlane[0]).toMatchObject({ user: 'root', privateKey: 'mine' });
  expect(sshKeyFrom).toBeUndefined();
});

it.each<[string, KubernetesObject[], string, RegExp]>([
  ['no Cluster', [sshKeySecret], 'gdc-cluster-unusable', /not among/],
  [
    'an unknown type',
    [clusterResource({ type: 'edge' }), sshKeySecret],
    'gdc-cluster-unusable',
    /spec\.type is "edge"/,
  ],
  [
    'no machines',
    [clusterResource({ controlPlane: {} }), sshKeySecret],
    'gdc-cluster-unusable',
    /names no nodes/,
  ],
  [
    'a machine without an address',
    [
      clusterResource({ controlPlane: { nodePoolSpec: { nodes: [{}] } } }),
      sshKeySecret,
    ],
    'gdc-cluster-unusable',
    /has no address/,
  ],
  [
    'machines that are no list',
    [
      clusterResource({ controlPlane: { nodePoolSpec: { nodes: 'all' } } }),
      sshKeySecret,
    ],
    'gdc-cluster-unusable',
    /has no list/,
  ],
  [
    'a login that is no name',
    [clusterResource({ nodeAccess: { loginUser: 7 } }), sshKeySecret],
    'gdc-cluster-unusable',
    /is no name/,
  ],
  [
    'a Secret that holds no key',
    [
      clusterResource(),
      secret('cluster-prod', 'ssh-key', { id_rsa: 'public' }),
    ],
    'gdc-ssh-key-missing',
    /cluster-prod\/ssh-key, anthos-creds\/ssh-key/,
  ],
])('says what is missing: %s', (_, objects, code, message) => {
  expect(() => machinesOf(objects)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  );
});
