import fc from 'fast-check';
import { Description } from '../archive';
import { ClusterBackupError } from '../errors';
import { GdcCluster } from '../gdc';
import { ControlPlaneNode } from '../layout';
import { parseEntries, stateOf } from './journal';
import {
  bumpCovers,
  chooseBump,
  makePlan,
  operationName,
  refuseExpired,
} from './plan';

const node = (name: string, overrides: object = {}) =>
  ({
    machine: { name },
    manifestsDir: '/etc/kubernetes/manifests',
    caFingerprint: 'abc',
    kubernetesVersion: '1.31.4',
    apiServer: { manifestPath: '/etc/kubernetes/manifests/api.yaml' },
    etcd: {
      name,
      image: 'registry.k8s.io/etcd:3.5.16-0',
      dataDir: '/var/lib/etcd',
      manifestPath: '/etc/kubernetes/manifests/etcd.yaml',
      peerUrls: [`https://${name}:2380`],
    },
    capture: ['/etc/kubernetes/pki/sa.key'],
    ...overrides,
  } as unknown as ControlPlaneNode);

const description = (names: string[], overrides: object = {}) =>
  ({
    cluster: { name: 'c', layout: 'kubeadm', caFingerprint: 'abc' },
    createdAt: '2026-01-01T00:00:00.000Z',
    versions: { etcd: '3.5.9' },
    nodes: names.map(name => ({
      name,
      etcd: { name, peerUrls: [`https://${name}:2380`] },
    })),
    snapshot: { member: names[0], size: 1 },
    ...overrides,
  } as unknown as Description);

const planOf = (
  nodes: ControlPlaneNode[],
  archive: Description,
  gdc?: GdcCluster,
) =>
  makePlan({
    operation: operationName(new Date('2026-11-22T15:00:00Z')),
    access: {
      name: 'c',
      layout: 'kubeadm',
      controlPlane: [],
      workers: [],
      gdc,
    },
    nodes,
    description: archive,
    leftOut: [],
    rebuildsEvents: false,
    withoutBump: false,
    answered: { members: [], quorum: false, apiServers: [] },
  });

const gdcAt = (version: string, type = 'admin') =>
  ({ type, version } as unknown as GdcCluster);

const refusal = (act: () => unknown): ClusterBackupError => {
  try {
    act();
  } catch (error) {
    return error as ClusterBackupError;
  }
  throw new Error('It was not refused.');
};

const codeOf = (act: () => unknown): string | undefined => {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as ClusterBackupError).code;
  }
};

describe('the plan of a restore', () => {
  it('parks manifests beside the watched folder and keeps no secrets', () => {
    const plan = planOf([node('a'), node('b')], description(['a', 'b']));
    expect(plan.nodes.map(({ parked }) => parked)).toEqual(
      Array(2).fill(`/etc/kubernetes/cluster-backup-${plan.operation}`),
    );
    expect(plan.operation).toMatch(/^restore-20261122T150000Z-[0-9a-f]{8}$/);
    expect(JSON.stringify(plan)).not.toContain('sa.key');
  });

  it.each([
    [undefined, '2026-12-31T23:59:59Z', undefined],
    [undefined, '2027-01-01T00:00:00Z', 'archive-expired'],
    [30, '2026-01-31T00:00:00Z', 'archive-expired'],
    [400, '2027-01-31T00:00:00Z', undefined],
  ])('refuses archives that are %s days old or more: %s', (days, now, code) => {
    const check = () => refuseExpired(description(['a']), days, new Date(now));
    expect(codeOf(check)).toBe(code);
  });

  it.each<[string, string, object]>([
    ['archive-newer-etcd', '3.5.16-0', { etcd: '3.5.17' }],
    ['archive-newer-etcd', '3.6.1', { etcd: '3.6.1' }],
    ['archive-other-kubernetes', '1.31.4', { kubernetes: 'v1.30.9' }],
    ['archive-newer-kubernetes', '1.31.4', { kubernetes: '1.31.5' }],
    ['archive-newer-kubernetes', '1.31.4', { kubernetes: '1.32.0' }],
  ])('refuses with %s, naming %s, data of %j', (code, named, versions) => {
    const archive = description(['a'], {
      versions: { etcd: '3.5.9', ...versions },
    });
    const error = refusal(() => planOf([node('a')], archive));
    expect(error.code).toBe(code);
    expect(error.message).toContain(named);
  });

  it('takes later patches of the same versions, and what does not tell its version', () => {
    const versions = { etcd: '3.5.16', kubernetes: 'v1.31.0' };
    const pinned = node('a', { kubernetesVersion: undefined });
    pinned.etcd.image = 'registry.k8s.io/etcd@sha256:00';
    for (const each of [node('a'), pinned]) {
      const archive = description(['a'], { versions });
      expect(codeOf(() => planOf([each], archive))).toBeUndefined();
    }
  });

  it('takes a node that the archive does not know, for it was not reached that day', () => {
    const plan = planOf([node('a'), node('b')], description(['a']));
    expect(plan.nodes.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it.each<[string, string, () => unknown]>([
    [
      'archive-other-cluster',
      'b',
      () =>
        planOf(
          [node('a'), node('b', { caFingerprint: 'other' })],
          description(['a', 'b']),
        ),
    ],
    [
      'archive-other-nodes',
      'c=https://c:2380',
      () => planOf([node('a')], description(['a', 'c'])),
    ],
    [
      'archive-other-etcd',
      '3.4',
      () =>
        planOf(
          [node('a')],
          description(['a'], { versions: { etcd: '3.4.27' } }),
        ),
    ],
  ])('refuses with %s, naming %s', (code, named, act) => {
    const error = refusal(act);
    expect(error.code).toBe(code);
    expect(error.message).toContain(named);
    expect(error.state).toBeTruthy();
    expect(error.remedy).toBeTruthy();
  });
});

describe('the bump', () => {
  it('covers whatever was last seen, and a good deal more', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 2 ** 40 }),
        fc.nat({ max: 2 ** 40 }),
        (snapshot, written) => {
          const bump = chooseBump(snapshot + written, snapshot);
          expect(bump).toBeGreaterThanOrEqual(1e9);
          expect(bumpCovers(bump, snapshot + written, snapshot)).toBe(true);
          expect(bumpCovers(bump, snapshot + bump, snapshot)).toBe(false);
        },
      ),
    );
    expect(chooseBump(undefined, 5)).toBe(1e9);
  });
});

describe('a journal', () => {
  it('is read whatever a kill left of its last line', () => {
    const lines = [
      '{"step":"claim","state":"begun","fence":1,"at":"x"}',
      '{"step":"swap-data","state":"begun","fence":1,"at":"x"}',
      '{"step":"swap-data","state":"done","fence":1,"at":"x"}',
    ];
    const whole = `${lines.join('\n')}\n`;
    fc.assert(
      fc.property(fc.nat({ max: whole.length }), cut => {
        const entries = parseEntries(whole.slice(0, cut));
        expect(entries.length).toBeGreaterThanOrEqual(
          whole.slice(0, cut).split('\n').length - 1,
        );
        expect(entries.length).toBeLessThanOrEqual(lines.length);
      }),
    );
    const current = { entries: parseEntries(whole) } as never;
    expect(stateOf({ fence: 1, current }, 'swap-data')).toBe('done');
    expect(stateOf({ fence: 1, current }, 'claim')).toBe('begun');
    expect(stateOf({ fence: 1, current }, 'park-etcd')).toBe('untouched');
  });
});

describe('the version of Google Distributed Cloud', () => {
  const archive = description(['a'], {
    versions: { etcd: '3.5.9', gdc: '1.32.100' },
  });
  const back = { why: ['It was asked for.'], kubelet: false, directories: [] };

  it.each([
    { title: 'the same', gdc: gdcAt('1.32.100'), code: undefined },
    { title: 'a later one', gdc: gdcAt('1.33.0'), code: 'archive-other-gdc' },
    {
      title: 'a later one, and files put back',
      gdc: gdcAt('1.33.0'),
      filesBack: back,
      code: undefined,
    },
    {
      title: 'a later one of a user cluster, and files put back',
      gdc: gdcAt('1.33.0', 'user'),
      filesBack: back,
      code: 'archive-other-gdc',
    },
  ])('$title', ({ gdc, filesBack, code }) => {
    const nodes = [{ ...node('a'), filesBack }];
    expect(codeOf(() => planOf(nodes, archive, gdc))).toBe(code);
  });
});
