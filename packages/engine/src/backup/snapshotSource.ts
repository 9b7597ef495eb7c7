import { Finding } from '../checks';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import {
  chooseSurvivor,
  connectMember,
  DataAtRest,
  readDataAtRest,
  SnapshotFacts,
  SnapshotStream,
  streamDataAtRest,
  Survivor,
} from '../etcd';
import { ControlPlaneNode } from '../layout';

/** What a backup's snapshot comes from. */
export interface SnapshotSource {
  node: ControlPlaneNode;
  etcdVersion: string;
  open(signal: AbortSignal, takeBlock: () => Buffer): Promise<SnapshotStream>;
  /** @throws ClusterBackupError `snapshot-revision-wrong` when it is not what the source said of itself */
  judge(facts: SnapshotFacts): Promise<void>;
  close(): Promise<void>;
}

/** A member that runs; its snapshot lies between what it stood at before and after. */
export async function runningMember(
  node: ControlPlaneNode,
  signal: AbortSignal,
): Promise<SnapshotSource> {
  const member = await connectMember(node, { signal });
  try {
    const { revision: earliest, version } = await member.status();
    return {
      node,
      etcdVersion: version,
      open: (until, takeBlock) => member.snapshot(until, takeBlock),
      async judge(facts) {
        const { revision: latest } = await member.status();
        if (facts.revision >= earliest && facts.revision <= latest) return;
        throw new ClusterBackupError({
          code: 'snapshot-revision-wrong',
          message: `The snapshot of ${node.etcd.name} holds revision ${facts.revision}, outside of ${earliest} to ${latest} which the member stood at.`,
          state: NOTHING_CHANGED,
          remedy: `Look at the health of ${node.etcd.name}; a backup of another member may be taken when it is stopped.`,
          details: { member: node.etcd.name, earliest, latest, ...facts },
        });
      },
      close: () => member.close(),
    };
  } catch (error) {
    await member.close();
    throw error;
  }
}

/** Data that no process uses; its revision was read before, and the stream compares. */
export function restingData(
  node: ControlPlaneNode,
  data: DataAtRest,
): SnapshotSource {
  return {
    node,
    etcdVersion: versionOf(node),
    open: async (signal, takeBlock) =>
      streamDataAtRest(node.machine, data, { signal, takeBlock }),
    judge: async () => {},
    close: async () => {},
  };
}

/** Nothing runs that could be asked, so it is what the manifest would run. */
function versionOf({ machine, etcd }: ControlPlaneNode): string {
  const version = /:v?(\d+\.\d+\.\d+)/.exec(etcd.image)?.[1];
  if (version) return version;
  throw new ClusterBackupError({
    code: 'etcd-version-unknown',
    message: `Which version of etcd wrote the data on ${machine.name} is not known: its image ${etcd.image} does not tell.`,
    state: NOTHING_CHANGED,
    remedy: `Name the image with its version in ${etcd.manifestPath} on ${machine.name}.`,
    details: { machine: machine.name, image: etcd.image },
  });
}

/** As restores are named; it becomes part of a path. */
const RESTORE = /^restore-[A-Za-z0-9-]+$/;

/**
 * The data that a restore kept: of all nodes' the one with the highest revision.
 *
 * @throws ClusterBackupError `kept-data-missing`
 */
export async function keptDataOf(
  nodes: ControlPlaneNode[],
  operation: string,
  signal: AbortSignal,
): Promise<{ source: SnapshotSource; reservation: Finding }> {
  if (!RESTORE.test(operation)) throw nothingKept(operation);
  const found = await Promise.all(
    nodes.map(async ({ machine, etcd }): Promise<Survivor[]> => {
      const folder = `${etcd.dataDir}/.cluster-backup-${operation}/kept`;
      const data = await readDataAtRest(machine, folder, signal);
      return data ? [{ member: etcd.name, revision: data.revision, data }] : [];
    }),
  );
  const chosen = chooseSurvivor(found.flat());
  if (!chosen?.data) throw nothingKept(operation);
  const node = nodes.find(({ etcd }) => etcd.name === chosen.member)!;
  return {
    source: restingData(node, chosen.data),
    reservation: {
      check: 'kept-data',
      level: 'reservation',
      code: 'etcd-kept-data',
      machine: chosen.member,
      message: `The backup is not of the cluster as it runs: it is of the data of ${chosen.member} that ${operation} replaced (revision ${chosen.revision}).`,
      remedy: 'Restore it to have the cluster as it was before that restore.',
    },
  };
}

function nothingKept(operation: string) {
  return new ClusterBackupError({
    code: 'kept-data-missing',
    message: `No control-plane node has data that a restore ${operation} kept.`,
    state: NOTHING_CHANGED,
    remedy: 'Look at what is kept, and name that restore.',
    details: { operation },
  });
}
