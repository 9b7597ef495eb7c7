import { Description, ManagedCluster } from '../archive';
import { ConnectedCluster } from '../cluster';
import { ClusterBackupError } from '../errors';
import { Fitness, Survivor } from '../etcd';
import { ControlPlaneNode } from '../layout';
import { Machine } from '../machine';

/**
 * What a check found. A reservation is told and kept with the backup; a refusal stops the operation before anything
 * is changed.
 *
 * @public
 */
export interface Finding {
  /** The check's id. */
  check: string;
  level: 'ok' | 'reservation' | 'refusal';
  /** The error's code when it is a refusal. */
  code: string;
  machine?: string;
  message: string;
  remedy: string;
}

/** What is looked at, and for what. @public */
export interface CheckSubject {
  /** `look` is for neither: as before a restore, and the members are asked as well. */
  purpose: 'backup' | 'restore' | 'look';
  cluster: ConnectedCluster;
  /** The reached control-plane nodes whose layout could be read. */
  nodes: ControlPlaneNode[];
  /** Why a reached node's layout could not be read, by machine. */
  unreadable: Map<string, ClusterBackupError>;
  /** Of the etcd members, being asked meanwhile; not asked for before a restore. */
  fitness?: Promise<Fitness>;
  /** A member to take a snapshot from though there is no quorum; looked for where a backup may do without. */
  survivor?: Promise<{ survivor?: Survivor; unusable: ClusterBackupError[] }>;
  /** The snapshot comes from elsewhere than the members as they are now. */
  withoutMembers?: boolean;
  /** What a restore would put on each node: bytes, and the etcd version that wrote them. */
  snapshot?: { size: number; etcdVersion: string };
  /** Of what is to be restored: the user clusters that the cluster managed, where it tells. */
  archived?: { manages?: ManagedCluster[] };
  /** Of a look: what would be restored if it had to be today. */
  lastBackup?: Description;
  signal: AbortSignal;
}

/** One thing that is looked at. @public */
export interface Check {
  id: string;
  title: string;
  run(subject: CheckSubject): Promise<Finding[]>;
}

/**
 * Whether there is no going on without a machine: a restore needs every control-plane node, a backup needs one. A
 * worker's kubelet can be restarted by hand.
 */
export function isNeeded(subject: CheckSubject, name: string): boolean {
  const { purpose, cluster, nodes } = subject;
  return (
    cluster.access.controlPlane.some(access => access.name === name) &&
    (purpose !== 'backup' || nodes.length === 0)
  );
}

/** All machines that were reached. */
export function reached(subject: CheckSubject): Machine[] {
  return subject.cluster.outcomes.flatMap(({ machine }) =>
    machine ? [machine] : [],
  );
}

/** Asks something of each machine; an error of one becomes its finding. */
export async function ofEach<T extends { name: string }>(
  machines: T[],
  level: (machine: T) => Finding['level'],
  check: string,
  ask: (machine: T) => Promise<Finding[]>,
): Promise<Finding[]> {
  const findings = await Promise.all(
    machines.map(async machine => {
      try {
        return await ask(machine);
      } catch (error) {
        if (!(error instanceof ClusterBackupError)) throw error;
        return [findingOf(error, check, level(machine), machine.name)];
      }
    }),
  );
  return findings.flat();
}

/** An error as what a check found. */
export function findingOf(
  error: ClusterBackupError,
  check: string,
  level: Finding['level'],
  machine?: string,
): Finding {
  return {
    check,
    level,
    code: error.code,
    machine,
    message: error.message,
    remedy: error.remedy,
  };
}
