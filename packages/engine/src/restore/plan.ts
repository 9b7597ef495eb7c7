import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ClusterMachines } from '../cluster';
import { Description } from '../archive';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { ControlPlaneNode, EtcdInstance } from '../layout';
import { Decision } from './decision';
import { refuseOtherVersions } from './versions';

/**
 * What will be done to one control-plane node. What the node is was read before anything was changed: while its
 * manifests are parked it could not be read again.
 *
 * @public
 */
export interface NodePlan extends Omit<ControlPlaneNode, 'machine'> {
  /** The machine's name in the configuration. */
  name: string;
  /** Beside the folder that the kubelet watches, in the same file system: a rename takes a manifest out of it. */
  parked: string;
}

/** Who wanted a restore, for those who find it on the machines. @public */
export interface RestoreOrigin {
  /** What a portal calls it. */
  id?: string;
  /** An entity reference, or whoever ran the command. */
  by: string;
}

/**
 * What a restore will do, as it is left on every machine. No secrets.
 *
 * @public
 */
export interface Plan {
  planVersion: 1;
  operation: string;
  cluster: string;
  archive: { createdAt: string; snapshotSize: number; etcdVersion: string };
  /** Fresh, the same on all members: it makes the cluster id that an old member cannot join. */
  token: string;
  nodes: NodePlan[];
  workers: string[];
  /** Control-plane nodes that are stated to be powered off, and are no members any more. */
  leftOut: string[];
  /** The etcd that keeps Events was not well: it gets new, empty members. */
  rebuildsEvents: boolean;
  /** Revisions are not raised: a node has no program that could, and somebody decided to do without. */
  withoutBump?: boolean;
  origin?: RestoreOrigin;
  /** What a person decided against what a restore does by itself, and why. */
  decision?: Decision;
  /** Who answered before anything was done: an undo waits for these again and for no others. */
  answered: Answered;
}

/** @public */
export interface Answered {
  /** Nodes whose etcd member answered. */
  members: string[];
  /** Whether a linearizable read passed. */
  quorum: boolean;
  /** Nodes whose API server was ready. */
  apiServers: string[];
}

/** What is known once the whole archive has passed and proved itself. @public */
export interface VerifiedArchive {
  /** sha256 of the file as it is stored, hex. */
  archiveSha256: string;
  /** Revision of the snapshot. */
  revision: number;
  /** Added to it, so that no client ever sees a revision go back. */
  bump: number;
}

/** A name for one restore: sortable, unique, safe in a path. */
export function operationName(now: Date): string {
  const time = now.toISOString().replace(/[-:]/g, '').replace(/\..*/, 'Z');
  return `restore-${time}-${randomBytes(4).toString('hex')}`;
}

/**
 * The plan for putting an archive back onto the nodes as they are.
 *
 * @throws ClusterBackupError `archive-other-cluster`, `archive-other-nodes`, and those of {@link refuseOtherVersions}
 * @public
 */
export function makePlan(options: {
  operation: string;
  access: ClusterMachines;
  nodes: ControlPlaneNode[];
  description: Description;
  leftOut: readonly string[];
  rebuildsEvents: boolean;
  withoutBump: boolean;
  origin?: RestoreOrigin;
  decision?: Decision;
  answered: Answered;
}): Plan {
  const { operation, access, nodes, description, leftOut } = options;
  refuseOtherCluster(nodes, description);
  refuseOtherNodes(nodes, description, leftOut);
  refuseOtherVersions(access, nodes, description);
  return {
    planVersion: 1,
    operation,
    cluster: access.name,
    archive: {
      createdAt: description.createdAt,
      snapshotSize: description.snapshot.size,
      etcdVersion: description.versions.etcd,
    },
    token: `${operation}-${randomBytes(8).toString('hex')}`,
    nodes: nodes.map(node => planNode(node, operation)),
    workers: access.workers.map(worker => worker.name),
    leftOut: [...leftOut],
    rebuildsEvents: options.rebuildsEvents,
    ...(options.withoutBump && { withoutBump: true }),
    origin: options.origin,
    decision: options.decision,
    answered: options.answered,
  };
}

/**
 * The certificates in a backup are good for a year, and so are most of what it knows of the machines; `bmctl` has the
 * same rule.
 *
 * @public
 */
export const EXPIRE_AFTER_DAYS = 365;

/**
 * Refuses an archive that is too old.
 *
 * @throws ClusterBackupError `archive-expired`
 */
export function refuseExpired(
  { createdAt }: Description,
  days: number = EXPIRE_AFTER_DAYS,
  now: Date = new Date(),
) {
  const age = Math.floor((now.getTime() - Date.parse(createdAt)) / 86_400_000);
  if (age < days) return;
  throw new ClusterBackupError({
    code: 'archive-expired',
    message: `The archive is ${age} days old (${createdAt}); archives expire after ${days} days.`,
    state: NOTHING_CHANGED,
    remedy:
      'Choose a later backup. Where there is none, set expireAfterDays to more, and expect certificates in it that have expired: kubeadm certs renew all after the restore.',
    details: { createdAt, days },
  });
}

/**
 * Refuses an archive that is not the one that a plan was made for.
 *
 * @throws ClusterBackupError `archive-other-cluster`, `resume-other-archive`
 */
export function refuseOtherArchive(
  { operation, nodes, archive }: Plan,
  description: Description,
) {
  for (const node of nodes) refuseOtherCa(node.name, node, description);
  const found = {
    createdAt: description.createdAt,
    snapshotSize: description.snapshot.size,
    etcdVersion: description.versions.etcd,
  };
  if (isDeepStrictEqual(found, archive)) return;
  throw new ClusterBackupError({
    code: 'resume-other-archive',
    message: `${operation} is a restore of the backup of ${archive.createdAt}; this is the one of ${found.createdAt}.`,
    state: 'Nothing was changed by this attempt.',
    remedy:
      'Resume with the backup that the restore began with, or undo and start with this one.',
    details: { operation, planned: archive, found },
  });
}

function planNode(node: ControlPlaneNode, operation: string): NodePlan {
  const { machine, ...facts } = node;
  return {
    ...facts,
    capture: [],
    name: machine.name,
    parked: `${posix.dirname(node.manifestsDir)}/cluster-backup-${operation}`,
  };
}

/** Manifests of controller manager and scheduler, where they are. */
export function controllersOf(node: NodePlan): string[] {
  return [node.controllerManager, node.scheduler].flatMap(pod =>
    pod ? [pod.manifestPath] : [],
  );
}

/** The etcd instances of a node that get new data: its member, and the one of Events where these are rebuilt. */
export function replacedOn(
  { rebuildsEvents }: Plan,
  { etcd, etcdEvents }: NodePlan,
): EtcdInstance[] {
  return rebuildsEvents && etcdEvents ? [etcd, etcdEvents] : [etcd];
}

/** Their manifests, where they are. */
export function etcdManifestsOf(plan: Plan, node: NodePlan): string[] {
  return replacedOn(plan, node).map(({ manifestPath }) => manifestPath);
}

/** Where a restore keeps its things inside a data directory: the same file system by construction. */
export function workspaceOf(
  { operation }: Plan,
  { dataDir }: EtcdInstance,
): string {
  return `${dataDir}/.cluster-backup-${operation}`;
}

/**
 * The revision bump: enough that every revision ever handed out stays in the past.
 * The floor is etcd's own recommendation, about a week of 1,500 writes a second.
 */
export function chooseBump(lastSeen: number | undefined, snapshot: number) {
  return Math.max(1_000_000_000, 2 * ((lastSeen ?? snapshot) - snapshot));
}

/** Whether the bump is safely beyond everything written since the snapshot: a tenth of it is kept in hand. */
export function bumpCovers(bump: number, lastLive: number, snapshot: number) {
  return lastLive - snapshot < bump * 0.9;
}

function refuseOtherCluster(
  nodes: ControlPlaneNode[],
  description: Description,
) {
  for (const node of nodes) refuseOtherCa(node.machine.name, node, description);
}

function refuseOtherCa(
  machine: string,
  { caFingerprint: found }: Pick<ControlPlaneNode, 'caFingerprint'>,
  { cluster: { caFingerprint: expected } }: Description,
) {
  if (found === expected) return;
  throw new ClusterBackupError({
    code: 'archive-other-cluster',
    message: `The cluster CA on ${machine} (${found}) is not the one of the archive (${expected}).`,
    state: NOTHING_CHANGED,
    remedy: `Choose a backup of this cluster. If the CA of ${machine} was replaced since, restore with files: the archive's certificates, keys and manifests are put back as well.`,
    details: { machine, found, expected },
  });
}

function refuseOtherNodes(
  nodes: ControlPlaneNode[],
  description: Description,
  leftOut: readonly string[],
) {
  const identity = (name: string, urls: string[]) => `${name}=${urls[0]}`;
  const now = nodes.map(n => identity(n.etcd.name, n.etcd.peerUrls)).sort();
  const then = description.nodes
    .filter(({ name }) => !leftOut.includes(name))
    .map(n => identity(n.etcd.name, n.etcd.peerUrls))
    .sort();
  // A node that could not be read on the day of the backup is not in the archive; its member is made all the same.
  if (then.every(node => now.includes(node))) return;
  throw new ClusterBackupError({
    code: 'archive-other-nodes',
    message: `The etcd members of the archive (${then.join(
      ', ',
    )}) are not those configured on the machines (${now.join(', ')}).`,
    state: NOTHING_CHANGED,
    remedy:
      'Give the control-plane nodes their names and addresses of the day of the backup, or choose a later backup.',
    details: { archive: then, machines: now },
  });
}
