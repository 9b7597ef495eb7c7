import { Backup } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { ConfiguredClusters } from './ConfiguredClusters';
import { managedClustersOf } from './managedClusters';

const shop = {
  name: 'shop',
  namespace: 'cluster-shop',
  generation: 1,
  specSha256: 'a'.repeat(64),
};

function compare(type: string, manages?: object[], access: object = {}) {
  const cluster = { layout: 'gdc', type, manages };
  return managedClustersOf(
    {
      summary: async () => ({ summary: { description: { cluster } } }),
      access: () => access,
    } as unknown as ConfiguredClusters,
    { clusterRef: 'resource:default/lab', gdc: { type } } as Backup,
  );
}

it('tells of user clusters that cannot be asked about, and why', async () => {
  const unreachable = {
    name: 'lab',
    resource: { name: 'lab', namespace: 'x' },
  };
  expect(await compare('admin', [shop], unreachable)).toEqual({
    clusters: [{ name: 'shop', namespace: 'cluster-shop', change: 'unknown' }],
    fault: expect.objectContaining({ code: 'gdc-kubeconfig-missing' }),
  });
  // Configured with its machines.
  expect(await compare('hybrid', [shop])).toEqual({
    clusters: [{ name: 'shop', namespace: 'cluster-shop', change: 'unknown' }],
  });
});

it('tells when a backup says nothing of them, and when there can be none', async () => {
  expect(await compare('admin')).toEqual({
    clusters: [],
    fault: expect.objectContaining({ code: 'gdc-managed-not-archived' }),
  });
  expect(await compare('user', [shop])).toEqual({ clusters: [] });
});
