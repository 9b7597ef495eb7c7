import { clusterResource, secret } from './__testUtils__/gdcObjects';
import { differingObjects } from './differingObjects';
import { KubernetesObject } from './GdcCluster';
import { ManagingCluster } from './managingCluster';

const at = (path: string, object: KubernetesObject) => {
  const { name, namespace } = object.metadata;
  return [
    `${path}/namespaces/${namespace}/${object.kind.toLowerCase()}s/${name}`,
    object,
  ];
};
const GDC = '/apis/baremetal.cluster.gke.io/v1';

/** What is there is asked of a table. */
function compare(archived: KubernetesObject[], present: unknown[][]) {
  const there = Object.fromEntries(present);
  return differingObjects(
    { found: async (path: string) => there[path] } as ManagingCluster,
    archived,
  );
}

const seen = (object: KubernetesObject): KubernetesObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: '7' },
});

it('names the keys of Secrets and the paths of specs that differ, and no value', async () => {
  const archivedSecret = secret('x', 'keys', {
    kept: '1',
    gone: '2',
    new: '3',
  });
  const liveSecret = secret('x', 'keys', {
    kept: '1',
    new: 'hidden',
    more: '4',
  });
  const archived = clusterResource({ profile: 'edge', list: [1] });
  const live = clusterResource({
    list: [1, 2],
    nodeAccess: { loginUser: 'root' },
  });
  const lost = secret('x', 'lost', { any: 'thing' });
  const found = await compare(
    [archived, archivedSecret, lost],
    [at('/api/v1', seen(liveSecret)), at(GDC, seen(live))],
  );
  expect(found).toEqual([
    {
      kind: 'Secret',
      namespace: 'x',
      name: 'keys',
      difference: 'differs',
      resourceVersion: '7',
      fields: [
        { name: 'gone', change: 'removed' },
        { name: 'more', change: 'added' },
        { name: 'new', change: 'changed' },
      ],
    },
    {
      kind: 'Secret',
      namespace: 'x',
      name: 'lost',
      difference: 'missing',
      fields: [],
    },
    {
      kind: 'Cluster',
      namespace: 'cluster-prod',
      name: 'prod',
      difference: 'differs',
      resourceVersion: '7',
      fields: [
        { name: 'spec.list', change: 'changed' },
        { name: 'spec.nodeAccess.loginUser', change: 'changed' },
        { name: 'spec.profile', change: 'removed' },
      ],
    },
  ]);
});

it('says nothing of what is as it was, whatever its state', async () => {
  const archived = clusterResource();
  const live = clusterResource({}, { clusterState: 'Failed' });
  expect(await compare([archived], [at(GDC, seen(live))])).toEqual([]);
});
