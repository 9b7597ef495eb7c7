import { randomBytes } from 'node:crypto';
import { findRestoreTool } from '../etcd';
import { Check, ofEach } from './Check';

/** Found while everything is well, so that a restore never discovers that it is missing. */
export const restoreTool: Check = {
  id: 'restore-tool',
  title: 'A tool that restores a snapshot is on every node',
  run({ nodes, purpose, snapshot, signal }) {
    const level = purpose !== 'backup' ? 'refusal' : 'reservation';
    return ofEach(
      nodes.map(node => ({ name: node.machine.name, node })),
      () => level,
      this.id,
      async ({ node }) => {
        const { machine, etcd } = node;
        const scratch = `/run/cluster-backup-${randomBytes(6).toString('hex')}`;
        await machine.run(['mkdir', '-m', '700', scratch], { signal });
        try {
          await findRestoreTool(node, {
            version: snapshot?.etcdVersion ?? imageVersion(etcd.image),
            scratch,
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

/** `3.5.16` of `registry.k8s.io/etcd:3.5.16-0`; Kubernetes numbers its etcd images so. */
function imageVersion(image: string): string {
  return /:v?(\d+\.\d+\.\d+)/.exec(image)?.[1] ?? '';
}
