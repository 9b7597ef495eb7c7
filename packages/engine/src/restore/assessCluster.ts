import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterAccess, connectCluster } from '../cluster';
import { ClusterBackupError } from '../errors';
import { findSurvivor, Survivor } from '../etcd';
import { askApi } from '../kubernetes';
import { ControlPlaneNode, readControlPlaneNode } from '../layout';
import { ask } from './steps/members';

/**
 * What to do instead of a restore, or before it, the least first.
 *
 * @public
 */
export type Advice =
  | 'nothing-to-restore'
  | 'start-api-servers'
  | 'start-members'
  | 'back-up-survivor'
  | 'restore-backup';

/** How a cluster stands, and what follows from it. @public */
export interface Assessment {
  /** Machines whose API server is ready, and those whose is not. */
  apiServers: { ready: string[]; notReady: string[] };
  /** Members that answer, and those that do not. */
  members: { answering: string[]; silent: string[] };
  /** Whether a read passed that takes a quorum. */
  hasQuorum: boolean;
  /** Without a quorum: every member whose data is there. */
  survivors: Survivor[];
  /** Of these the one with the latest. */
  survivor?: Survivor;
  /** Control-plane machines that could not be looked at, and why. */
  unread: Array<{ machine: string; message: string }>;
  advice: Advice;
  /** What is so. */
  message: string;
  /** What to do. */
  remedy: string;
}

/** What does not answer in this time does not answer. Electing a leader takes etcd a second or two. */
const PATIENCE_MS = 5_000;

/**
 * Finds out, in seconds and reading only, how much of a cluster is still there, and gives one advice. A restore takes the
 * whole cluster back; most of what makes people think of one is mended with less.
 *
 * @throws ClusterBackupError those of looking up the cluster's machines, and where no machine can be reached or read
 * @public
 */
export async function assessCluster(
  access: ClusterAccess,
  options: { signal?: AbortSignal } = {},
): Promise<Assessment> {
  const { signal = new AbortController().signal } = options;
  const cluster = await connectCluster(access, { signal });
  try {
    const nodes: ControlPlaneNode[] = [];
    const unread: Assessment['unread'] = [];
    let failure: ClusterBackupError | undefined;
    const controlPlane = cluster.outcomes.filter(
      ({ role }) => role === 'control-plane',
    );
    await Promise.all(
      controlPlane.map(async ({ access: { name }, machine, error }) => {
        try {
          if (!machine) throw error;
          nodes.push(await readControlPlaneNode(machine, signal));
        } catch (cause) {
          if (!(cause instanceof ClusterBackupError)) throw cause;
          unread.push({ machine: name, message: cause.message });
          failure = cause;
        }
      }),
    );
    if (!nodes.length && failure) throw failure;
    const found = await Promise.all(nodes.map(node => lookAt(node, signal)));
    signal.throwIfAborted();
    const named = (
      is: (looked: Looked) => boolean,
      name: (node: ControlPlaneNode) => string,
    ) => found.filter(is).map(({ node }) => name(node));
    const members = {
      answering: named(
        ({ revision }) => revision !== undefined,
        ({ etcd }) => etcd.name,
      ),
      silent: named(
        ({ revision }) => revision === undefined,
        ({ etcd }) => etcd.name,
      ),
    };
    const hasQuorum = found.some(({ confirmed }) => confirmed);
    const { survivor, survivors } = await findSurvivor(
      nodes,
      {
        hasQuorum,
        silent: members.silent,
        unconfirmed: found.flatMap(({ node, revision }) =>
          revision === undefined ? [] : [{ member: node.etcd.name, revision }],
        ),
      },
      signal,
    );
    const machineOf = ({ machine }: ControlPlaneNode) => machine.name;
    return withAdvice({
      apiServers: {
        ready: named(({ apiReady }) => apiReady, machineOf),
        notReady: named(({ apiReady }) => !apiReady, machineOf),
      },
      members,
      hasQuorum,
      survivors,
      survivor,
      unread,
    });
  } finally {
    await cluster.close();
  }
}

interface Looked {
  node: ControlPlaneNode;
  apiReady: boolean;
  /** Where its member stands, when it answers. */
  revision?: number;
  /** A quorum confirmed it. */
  confirmed: boolean;
}

async function lookAt(
  node: ControlPlaneNode,
  signal: AbortSignal,
): Promise<Looked> {
  const [ready, status, read] = await Promise.all([
    inTime(askApi(node, 'own', signal, api => api.readyz().then(() => true))),
    inTime(ask(node, signal, member => member.status())),
    inTime(ask(node, signal, member => member.linearizableRead())),
  ]);
  return {
    node,
    apiReady: ready ?? false,
    revision: status?.revision,
    confirmed: read !== undefined,
  };
}

/** An answer, unless there is none or it takes too long; a connection that is left waiting is closed with the cluster's. */
async function inTime<T>(answer: Promise<T>): Promise<T | undefined> {
  const late = new AbortController();
  try {
    return await Promise.race([
      answer.catch(() => undefined),
      sleep(PATIENCE_MS, undefined, { signal: late.signal }),
    ]);
  } finally {
    late.abort();
  }
}

type Facts = Omit<Assessment, 'advice' | 'message' | 'remedy'>;

/** The least that helps. */
export function withAdvice(facts: Facts): Assessment {
  const { apiServers, members, hasQuorum, survivors, survivor, unread } = facts;
  const advise = (advice: Advice, message: string, remedy: string) => ({
    ...facts,
    advice,
    message,
    remedy,
  });
  const all = members.answering.length + members.silent.length + unread.length;
  const majority = Math.floor(all / 2) + 1;
  const unreached = unread.length
    ? ` ${inWords(
        unread.map(({ machine }) => machine),
      )} could not be looked at; what is there may be later than all of this, so bring it back first if that can be done.`
    : '';

  if (hasQuorum && apiServers.ready.length) {
    const down = apiServers.notReady.length
      ? ` Those of ${inWords(
          apiServers.notReady,
        )} are not ready: look at the kubelet and the pods there.`
      : '';
    return advise(
      'nothing-to-restore',
      `The API server of ${inWords(
        apiServers.ready,
      )} answers and etcd has a quorum. A restore would take the whole cluster back to the day of the backup.`,
      `Where single objects were deleted or changed, put back these, out of an archive, by hand: age -d and tar open it, etcdutl snapshot restore makes data of its snapshot.db that an etcd and a kube-apiserver on another machine can serve, and kubectl get -o yaml reads it there.${down}`,
    );
  }
  if (hasQuorum) {
    return advise(
      'start-api-servers',
      'etcd has a quorum, so all data is there; only no API server is ready.',
      `Wait a minute, then look at ${inWords(
        apiServers.notReady,
      )}: systemctl status kubelet, crictl ps -a, crictl logs. A restore would not mend what keeps them down.`,
    );
  }
  if (survivor && survivors.length >= majority) {
    const stopped = survivors.flatMap(({ member, data }) =>
      data ? [member] : [],
    );
    return advise(
      'start-members',
      `etcd has no quorum, but the data of ${inWords(
        survivors.map(({ member }) => member),
      )} is there, which is enough for one.`,
      `${
        stopped.length
          ? `Start ${inWords(
              stopped,
            )} (systemctl status kubelet, crictl ps -a).`
          : 'See why the members do not reach each other: the network between them, and their logs.'
      } Where that fails, back up ${
        survivor.member
      }, which has the latest data, and restore that.${unreached}`,
    );
  }
  if (survivor) {
    return advise(
      'back-up-survivor',
      `etcd has lost its quorum. ${survivor.member} still has its data${
        survivor.data ? ', though it is stopped' : ''
      } (revision ${survivor.revision}), later than any backup.`,
      `Back up ${survivor.member} (backup --without-quorum), and restore that backup.${unreached}`,
    );
  }
  return advise(
    'restore-backup',
    'No etcd member answers, and none left data that can be read.',
    `Restore the newest backup.${unreached}`,
  );
}

function inWords(names: string[]): string {
  return names.length > 1
    ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
    : names.join();
}
