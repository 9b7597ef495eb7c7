import { rmSync } from 'node:fs';
import { parse } from 'yaml';
import { strangelyLike } from '../__testUtils__/strange';
import { ClusterBackupError } from '../errors';
import { readControlPlaneNode } from './kubeadm';
import { filesOn, NodeFiles } from './NodeFiles';
import {
  KubeadmTree,
  makeKubeadmTree,
  makePki,
} from './__testUtils__/kubeadmTree';

const { signal } = new AbortController();
const MANIFESTS = '/etc/kubernetes/manifests';

let pki: string;
let tree: KubeadmTree;
beforeAll(() => {
  pki = makePki();
  tree = makeKubeadmTree(pki);
});
afterAll(() => {
  tree.close();
  rmSync(pki, { recursive: true });
});

/** The files of a node, read once, with one of them exchanged. */
async function withAnother(path: string) {
  const genuine = filesOn(tree.machine, signal);
  const read = new Map<string, Map<string, Buffer>>();
  return (content: string): NodeFiles => ({
    async read(paths) {
      const key = paths.map(String).join('\n');
      // A path that a manifest invents is on no machine.
      if (!read.has(key) && read.size < 50) {
        read.set(key, await genuine.read(paths));
      }
      const found = new Map(read.get(key));
      if (found.has(path)) found.set(path, Buffer.from(content));
      return found;
    },
    list: async () => ({
      paths: [],
      targets: [],
      tooLarge: [],
      dataDir: { uid: 0, gid: 0, mode: 0o700 },
    }),
  });
}

/** The code that it ends with, or `read`. */
async function ending(files: NodeFiles): Promise<string> {
  try {
    await readControlPlaneNode(tree.machine, signal, files);
    return 'read';
  } catch (error) {
    if (!(error instanceof ClusterBackupError)) throw error;
    return error.code;
  }
}

describe.each([
  `${MANIFESTS}/etcd.yaml`,
  `${MANIFESTS}/kube-apiserver.yaml`,
  '/var/lib/kubelet/config.yaml',
  '/etc/kubernetes/kubelet.conf',
])('%s', path => {
  it('with anything in the place of something else is read, or refused in words of ours', async () => {
    const files = await withAnother(path);
    const [genuine] = (
      await filesOn(tree.machine, signal).read([path])
    ).values();
    const told = new Set<string>();
    for (const strange of strangelyLike(parse(genuine.toString()))) {
      // JSON is YAML.
      const content = JSON.stringify(strange);
      told.add(await ending(files(content)));
    }
    expect([...told].join(' ')).toMatch(/unreadable|not-kubeadm/);
  });

  it.each<[string, string]>([
    [
      'aliases without end',
      [
        'a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]',
        ...Array.from(
          { length: 9 },
          (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(10)}]`,
        ),
      ].join('\n'),
    ],
    ['no end of depth', '['.repeat(100_000)],
    ['no YAML', '\tkind: {'],
  ])('with %s is refused', async (_, content) => {
    const files = await withAnother(path);
    expect(await ending(files(content))).toMatch(
      /^(manifest-unreadable|layout-not-kubeadm)$/,
    );
  });
});
