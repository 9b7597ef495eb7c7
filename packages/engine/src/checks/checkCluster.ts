import { Description } from '../archive';
import { ConnectedCluster } from '../cluster';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { findSurvivor, Fitness, Survivor } from '../etcd';
import { ControlPlaneNode, readControlPlaneNode } from '../layout';
import { Progress } from '../progress';
import { apis } from './apis';
import { archiveCluster } from './archiveCluster';
import { archiveGcpKeys } from './archiveGcpKeys';
import { archiveNodes } from './archiveNodes';
import { archiveSshKey } from './archiveSshKey';
import { authorities } from './authorities';
import { certificates } from './certificates';
import { Check, CheckSubject, Finding } from './Check';
import { clocks } from './clocks';
import { disks } from './disks';
import { etcdEvents } from './etcdEvents';
import { gcpKeys } from './gcpKeys';
import { gdcState } from './gdcState';
import { images } from './images';
import { kubelets } from './kubelets';
import { kubeletVersions } from './kubeletVersions';
import { layoutRead } from './layoutRead';
import { machinesReached } from './machinesReached';
import { managedClusters } from './managedClusters';
import { examineMembers, members } from './members';
import { programs } from './programs';
import { restoreTool } from './restoreTool';

/** All checks, in the order in which their findings are told. */
const checks: Check[] = [
  machinesReached,
  programs,
  layoutRead,
  authorities,
  clocks,
  kubelets,
  disks,
  members,
  apis,
  certificates,
  etcdEvents,
  restoreTool,
  images,
  kubeletVersions,
  gdcState,
  gcpKeys,
  managedClusters,
  archiveCluster,
  archiveNodes,
  archiveSshKey,
  archiveGcpKeys,
];

/** What was looked at and what was found. @public */
export interface CheckReport {
  findings: Finding[];
  /** Control-plane nodes that could be read. */
  nodes: ControlPlaneNode[];
  fitness?: Fitness;
  /** Where no member is fit for want of a quorum, and a backup may do without: the one that it is taken from. */
  survivor?: Survivor;
}

/**
 * Looks at everything that a backup or a restore depends on; changes nothing.
 *
 * @public
 */
export async function checkCluster(
  cluster: ConnectedCluster,
  options: {
    purpose: CheckSubject['purpose'];
    /** The nodes as they are to be; as they are by default. */
    read?: NodesRead;
    snapshot?: CheckSubject['snapshot'];
    archived?: CheckSubject['archived'];
    /** Of a look: whether this could be restored today is looked at as well. */
    lastBackup?: Description;
    /** A backup may be taken of a member that no quorum confirms. */
    withoutQuorum?: boolean;
    /** Of a backup: it is not taken from the members as they are now. */
    withoutMembers?: boolean;
    progress: Progress;
    signal: AbortSignal;
  },
): Promise<CheckReport> {
  const { purpose, archived, lastBackup, withoutMembers } = options;
  const { progress, signal } = options;
  const step = 'check';
  progress({ type: 'step', step, title: 'Check', status: 'started' });
  const read = options.read ?? (await readNodes(cluster, signal));
  const fitness =
    purpose === 'restore' ? undefined : examineMembers(read.nodes, signal);
  const survivor = options.withoutQuorum
    ? fitness?.then(found => findSurvivor(read.nodes, found, signal))
    : undefined;
  // Where it is waited for it is told; that the members could not be asked is told before.
  survivor?.catch(() => {});
  const subject: CheckSubject = {
    purpose,
    cluster,
    snapshot: options.snapshot ?? (lastBackup && snapshotIn(lastBackup)),
    archived,
    lastBackup,
    signal,
    ...read,
    fitness,
    survivor,
    withoutMembers,
  };
  const findings: Finding[] = [];
  for (const found of await Promise.all(
    checks.map(check => check.run(subject)),
  )) {
    findings.push(...found);
  }
  signal.throwIfAborted();
  if (purpose === 'restore') {
    // Its result is told when nothing of it can be weighed any more.
    for (const { level, machine, message } of findings) {
      if (level === 'reservation') {
        progress({ type: 'note', step, machine, message });
      }
    }
  }
  progress({ type: 'step', step, title: 'Check', status: 'done' });
  return {
    findings: once(findings),
    nodes: read.nodes,
    fitness: await fitness,
    survivor: (await survivor)?.survivor,
  };
}

function snapshotIn({ snapshot, versions }: Description) {
  return { size: snapshot.size, etcdVersion: versions.etcd };
}

/** The control-plane nodes that were reached, as far as they could be read. @public */
export interface NodesRead {
  nodes: ControlPlaneNode[];
  /** Why a node's layout could not be read, by machine. */
  unreadable: Map<string, ClusterBackupError>;
}

/** Reads what every reached control-plane node is. @public */
export async function readNodes(
  cluster: ConnectedCluster,
  signal: AbortSignal,
): Promise<NodesRead> {
  const nodes: ControlPlaneNode[] = [];
  const unreadable = new Map<string, ClusterBackupError>();
  const controlPlane = cluster.outcomes.filter(o => o.role === 'control-plane');
  const read = await Promise.all(
    controlPlane.map(async ({ machine }) => {
      if (!machine) return undefined;
      try {
        return await readControlPlaneNode(machine, signal);
      } catch (error) {
        if (!(error instanceof ClusterBackupError)) throw error;
        unreadable.set(machine.name, error);
        return undefined;
      }
    }),
  );
  for (const node of read) if (node) nodes.push(node);
  return { nodes, unreadable };
}

/** A machine that gives no root fails every check in the same words. */
function once(findings: Finding[]): Finding[] {
  const told = new Set<string>();
  return findings.filter(({ code, machine, message }) => {
    const key = JSON.stringify([code, machine, message]);
    return !told.has(key) && told.add(key);
  });
}

/**
 * Ends an operation on what the checks refuse.
 *
 * @throws ClusterBackupError with the code of the first refusal; all of them are in `details.findings`
 * @public
 */
export function refuseOn(findings: Finding[]): void {
  const refusals = findings.filter(finding => finding.level === 'refusal');
  if (!refusals.length) return;
  throw new ClusterBackupError({
    code: refusals[0].code,
    message: refusals.map(refusal => refusal.message).join('\n'),
    state: NOTHING_CHANGED,
    remedy: [...new Set(refusals.map(refusal => refusal.remedy))].join('\n'),
    details: { machine: refusals[0].machine, findings: refusals },
  });
}
