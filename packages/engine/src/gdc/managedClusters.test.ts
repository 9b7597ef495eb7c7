import { clusterResource } from './__testUtils__/gdcObjects';
import { KubernetesObject } from './GdcCluster';
import { compareManaged, managedAmong, managerAmong } from './managedClusters';

function userCluster(name: string, spec: object = {}): KubernetesObject {
  return {
    ...clusterResource({ type: 'user', ...spec }),
    metadata: { name, namespace: `cluster-${name}`, generation: 3 },
  };
}

it('knows user clusters by a digest of their specs, however these are written', () => {
  const admin = clusterResource();
  const shop = userCluster('shop', { profile: 'edge', a: { b: 1, c: [2] } });
  const again = userCluster('shop', { a: { c: [2], b: 1 }, profile: 'edge' });
  const [found, ...others] = managedAmong([shop, admin]);
  expect(found).toEqual({
    name: 'shop',
    namespace: 'cluster-shop',
    generation: 3,
    specSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(others).toEqual([]);
  expect(managedAmong([again])).toEqual([found]);
  const otherState = { ...shop, status: { clusterState: 'Failed' } };
  expect(managedAmong([otherState])).toEqual([found]);
  expect(managerAmong([shop, admin])).toBe('prod');
  expect(managerAmong([shop])).toBeUndefined();
  expect(managerAmong([admin, admin])).toBeUndefined();
});

it('tells what becomes of each when the cluster that manages it goes back in time', () => {
  const archived = managedAmong([
    userCluster('same'),
    userCluster('upgraded'),
    userCluster('deleted'),
  ]);
  const live = managedAmong([
    userCluster('created'),
    userCluster('same'),
    userCluster('upgraded', { anthosBareMetalVersion: '1.33.0-gke.1' }),
  ]);
  const changes = (now?: typeof live) =>
    compareManaged(archived, now).map(
      ({ namespace, name, change }) => `${namespace}/${name} ${change}`,
    );
  expect(changes(live)).toEqual([
    'cluster-deleted/deleted returns',
    'cluster-same/same same',
    'cluster-upgraded/upgraded back',
    'cluster-created/created forgotten',
  ]);
  expect(changes()).toEqual([
    'cluster-deleted/deleted unknown',
    'cluster-same/same unknown',
    'cluster-upgraded/upgraded unknown',
  ]);
});
