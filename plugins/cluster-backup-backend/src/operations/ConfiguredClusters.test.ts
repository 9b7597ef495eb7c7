import { StoreType } from '@cluster-backup/backstage-plugin-cluster-backup-node';
import { readConfiguration } from '@cluster-backup/engine';
import { BackupRecordStore } from '../database/BackupRecordStore';
import { storeTypeCollection } from '../storeTypeCollection';
import { ConfiguredClusters } from './ConfiguredClusters';

const kubeconfig = (server: string) =>
  JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'admin' },
    contexts: [{ name: 'admin', context: { cluster: 'admin', user: 'admin' } }],
    clusters: [
      {
        name: 'admin',
        cluster: { server, 'certificate-authority-data': 'Y2E=' },
      },
    ],
    users: [
      {
        name: 'admin',
        user: { 'client-certificate-data': 'Y2E=', 'client-key-data': 'Y2E=' },
      },
    ],
  });
const gdc = (name: string, server: string) => ({
  ...{ name, layout: 'gdc', kubeconfig: kubeconfig(server) },
  // Of the machines nothing is asked here.
  ssh: { hostKeys: 'trust-on-first-use' },
});

const storeTypes: StoreType[] = [];
storeTypeCollection(storeTypes);
const clusters = new ConfiguredClusters({
  configuration: readConfiguration(
    {
      stores: ['here', 'there', 'far'].map(id => ({
        ...{ id, filesystem: { path: id } },
      })),
      protection: { stores: ['here', 'there'] },
      clusters: [
        gdc('shop', 'https://admin:6443'),
        gdc('bank', 'https://admin:6443'),
        gdc('other', 'https://elsewhere:6443'),
        { name: 'lab', protection: { stores: ['far'] } },
        { name: 'broken', layout: 'gdc' },
      ],
    },
    { folder: __dirname, origin: 'of the test' },
  ),
  storeTypes,
  backups: {} as BackupRecordStore,
  limits: { portal: 8, store: 4, managingCluster: 2 },
});
const used = (...asked: Parameters<ConfiguredClusters['slots']>) =>
  clusters.slots(...asked).map(({ resource, atMost }) => [resource, atMost]);
const ref = (name: string) => `resource:default/${name}`;

it('has a backup use the portal, its stores, and the cluster that manages its own', () => {
  for (const name of ['shop', 'bank']) {
    expect(used('backup', ref(name))).toEqual([
      ['portal', 8],
      ['store here', 4],
      ['store there', 4],
      ['cluster at https://admin:6443', 2],
    ]);
  }
  expect(used('backup', ref('other'))).toContainEqual([
    'cluster at https://elsewhere:6443',
    2,
  ]);
  expect(used('backup', ref('lab'))).toEqual([
    ['portal', 8],
    ['store far', 4],
  ]);
  expect(used('backup', ref('lab'), ['here'])).toContainEqual([
    'store here',
    4,
  ]);
});

it('has a check use no store, a verification those that it reads, and one that is not configured right the portal', () => {
  expect(used('check', ref('shop'))).toEqual([
    ['portal', 8],
    ['cluster at https://admin:6443', 2],
  ]);
  expect(used('verify', ref('shop'), ['far'])).toEqual([
    ['portal', 8],
    ['store far', 4],
  ]);
  expect(used('check', ref('broken'))).toEqual([['portal', 8]]);
});
