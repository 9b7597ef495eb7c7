import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import { findRestoreTool } from '../etcd';
import { ControlPlaneNode } from '../layout';
import { Check, ofEach } from './Check';

/** Found while everything is well, so that a restore never discovers that it is missing. */
export const restoreTool: Check = {
  id: 'restore-tool',
  title: 'A tool that restores a snapshot is on every node',
  run({ cluster, nodes, purpose, snapshot, signal }) {
    const level = purpose !== 'backup' ? 'refusal' : 'reservation';
    return ofEach(
      nodes.map(node => ({ name: node.machine.name, node })),
      () => level,
      this.id,
      async ({ node }) => {
        const { machine, etcd } = node;
        if (purpose === 'backup' && (await hasImageWithTool(node, signal))) {
          return [];
        }
        // Not in /run, where many systems start no program.
        const scratch = `${posix.dirname(
          etcd.dataDir,
        )}/.cluster-backup-check-${randomBytes(6).toString('hex')}`;
        await machine.run(['mkdir', '-m', '700', scratch], { signal });
        try {
          await findRestoreTool(node, {
            version: snapshot?.etcdVersion ?? imageVersion(etcd.image),
            scratch,
            carried: cluster.access.restoreToolFile,
            signal,
          });
        } finally {
          await machine.run(['rm', '-rf', scratch]);
        }
        return [];
      },
    );
  },
};

/** A backup does not unpack an image to know what is in it: from 3.5 on etcd's own holds the tool. */
async function hasImageWithTool(
  { machine, etcd }: ControlPlaneNode,
  signal: AbortSignal,
): Promise<boolean> {
  const [major, minor] = imageVersion(etcd.image).split('.').map(Number);
  if (!(major > 3 || (major === 3 && minor >= 5))) return false;
  const { code } = await machine.run(
    [
      'sh',
      '-c',
      'ctr -n k8s.io images ls -q | grep -qxF -- "$1"',
      'sh',
      etcd.image,
    ],
    { accept: Array.from({ length: 256 }, (_, i) => i), signal },
  );
  return code === 0;
}

/** `3.5.16` of `registry.k8s.io/etcd:3.5.16-0`; Kubernetes numbers its etcd images so. */
function imageVersion(image: string): string {
  return /:v?(\d+\.\d+\.\d+)/.exec(image)?.[1] ?? '';
}
