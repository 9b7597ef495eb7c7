import { setTimeout as sleep } from 'node:timers/promises';
import { Finding } from '../checks';
import { ClusterAccess, connectCluster, ConnectedCluster } from '../cluster';
import { ClusterBackupError } from '../errors';
import { askApi, KubernetesClient, KubernetesNode } from '../kubernetes';
import { ControlPlaneNode, readControlPlaneNode } from '../layout';
import { Machine } from '../machine';
import { archivedMachines } from './archivedAccess';
import { Plan } from './plan';
import { ArchiveSource } from './restoreCluster';

const CHECK = 'what-next';
const WITHIN_MS = 120_000;
/** kubelets renew their leases every ten seconds (Kubernetes, "Node heartbeats"); the front may change meanwhile. */
const LEASES_WITHIN_MS = 25_000;
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';

/**
 * What is left for a person to do after a restore: machines that the restored cluster does not know, Nodes that nobody
 * stands for, kubelets that were not restarted, requests that wait, credentials that are old again. Only looks; what
 * cannot be asked is said so.
 *
 * @param options - `archive` tells how the machines are reached, where nothing else does
 * @throws ClusterBackupError those of reaching the machines
 * @public
 */
export async function whatNext(options: {
  cluster: ClusterAccess;
  plan: Plan;
  archive?: ArchiveSource;
  signal?: AbortSignal;
}): Promise<Finding[]> {
  const { archive, plan } = options;
  const timeout = AbortSignal.timeout(WITHIN_MS);
  const signal = options.signal
    ? AbortSignal.any([options.signal, timeout])
    : timeout;
  const cluster = await connectCluster(options.cluster, {
    signal,
    lastResort:
      archive &&
      ((access, patience) => archivedMachines(access, archive, patience)),
  });
  try {
    const known = await askCluster(cluster, plan, signal);
    return [
      ...unreachedWorkers(cluster),
      ...known,
      ...oldCredentials(cluster, plan),
    ];
  } finally {
    await cluster.close();
  }
}

function finding(
  code: string,
  message: string,
  remedy: string,
  machine?: string,
): Finding {
  return { check: CHECK, level: 'reservation', code, machine, message, remedy };
}

function unreachedWorkers({ outcomes }: ConnectedCluster): Finding[] {
  return outcomes
    .filter(({ role, error }) => role === 'worker' && error)
    .map(({ access: { name }, error }) =>
      finding(
        'kubelet-not-restarted',
        `The kubelet of ${name} was not restarted: ${error!.message}`,
        `Restart it by hand: systemctl restart kubelet. Until then pods on ${name} may be as before the restore.`,
        name,
      ),
    );
}

async function askCluster(
  cluster: ConnectedCluster,
  plan: Plan,
  signal: AbortSignal,
): Promise<Finding[]> {
  try {
    const node = await anyNode(cluster, plan, signal);
    return await askApi(node, 'own', signal, async api => {
      const nodes = await api.nodes();
      const [stale, unknown, waiting] = await Promise.all([
        staleNodes(api, nodes, plan, signal),
        unknownMachines(cluster, plan, nodes, signal),
        waitingRequests(api),
      ]);
      return [...unknown, ...stale, ...waiting];
    });
  } catch (error) {
    if (!(error instanceof ClusterBackupError)) throw error;
    return [
      finding(
        'next-unasked',
        `What the restored cluster knows of its nodes could not be asked: ${error.message}`,
        'Look yourself: kubectl get nodes, kubectl get csr.',
      ),
    ];
  }
}

async function anyNode(
  cluster: ConnectedCluster,
  { nodes }: Plan,
  signal: AbortSignal,
): Promise<ControlPlaneNode> {
  const machine = await cluster.machine(nodes[0].name);
  return readControlPlaneNode(machine, signal);
}

/** Nodes of the restored data whose kubelet does not renew its lease: to the data all of them were well a moment ago. */
async function staleNodes(
  api: KubernetesClient,
  nodes: KubernetesNode[],
  { leftOut }: Plan,
  signal: AbortSignal,
): Promise<Finding[]> {
  const leases = async () => {
    const { items } = await api.get<{
      items: Array<{
        metadata: { name: string };
        spec?: { renewTime?: string };
      }>;
    }>(LEASES);
    return new Map(
      items.map(({ metadata, spec }) => [metadata.name, spec?.renewTime]),
    );
  };
  const before = await leases();
  const deadline = Date.now() + LEASES_WITHIN_MS;
  let silent = nodes.map(({ name }) => name);
  while (silent.length && Date.now() < deadline) {
    await sleep(1_000, undefined, { signal });
    const now = await leases();
    silent = silent.filter(name => now.get(name) === before.get(name));
  }
  return silent.map(name =>
    finding(
      'node-stale',
      `The kubelet of Node ${name} does not answer for it.`,
      leftOut.length
        ? `Where its machine is gone, or was left out, remove it: kubectl delete node ${name}. Else look at its kubelet: journalctl -u kubelet.`
        : `Where its machine was removed since the backup, remove the Node too: kubectl delete node ${name}. Else look at its kubelet: journalctl -u kubelet.`,
      name,
    ),
  );
}

/** Machines that joined after the backup are in no data that was restored. */
async function unknownMachines(
  { access, outcomes }: ConnectedCluster,
  plan: Plan,
  nodes: KubernetesNode[],
  signal: AbortSignal,
): Promise<Finding[]> {
  const isKnown = (name: string) => nodes.some(node => node.name === name);
  const machines = outcomes.flatMap(({ machine }) => machine ?? []);
  const named = await Promise.all(
    machines.map(async machine => {
      const planned = plan.nodes.find(({ name }) => name === machine.name);
      const name = planned?.nodeName ?? (await hostname(machine, signal));
      return { machine, name };
    }),
  );
  return named
    .filter(({ name }) => name && !isKnown(name))
    .map(({ machine, name }) =>
      finding(
        'machine-unknown',
        `${machine.name} joined ${access.name} after the backup: the restored cluster has no Node ${name}.`,
        `Restart its kubelet, which makes its Node again: systemctl restart kubelet. Where it is not let in, join ${machine.name} anew: kubeadm reset, then what kubeadm token create --print-join-command prints.`,
        machine.name,
      ),
    );
}

/** What the kubelet names its Node after, unless it is told otherwise. */
async function hostname(
  machine: Machine,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const { stdout } = await machine.run(['hostname'], { signal });
    return stdout.trim().toLowerCase() || undefined;
  } catch (error) {
    if (!(error instanceof ClusterBackupError)) throw error;
    return undefined;
  }
}

async function waitingRequests(api: KubernetesClient): Promise<Finding[]> {
  const waiting = await api.pendingSigningRequests().catch(error => {
    if (!(error instanceof ClusterBackupError)) throw error;
    return 0;
  });
  if (!waiting) return [];
  return [
    finding(
      'requests-waiting',
      `${waiting} certificate signing request${
        waiting === 1 ? ' waits' : 's wait'
      } for an answer.`,
      'Look at them: kubectl get csr; approve those of your own kubelets: kubectl certificate approve NAME.',
    ),
  ];
}

function oldCredentials(
  { access: { gdc } }: ConnectedCluster,
  { archive }: Plan,
): Finding[] {
  const selfManaged = gdc && gdc.type !== 'user';
  return [
    finding(
      'credentials-of-the-backup',
      selfManaged
        ? `Secrets are those of ${archive.createdAt} again, the SSH key and the keys of Google service accounts among them.`
        : `Secrets are those of ${archive.createdAt} again.`,
      selfManaged
        ? 'Rotate again what was rotated since: bmctl update credentials. Keep the public key of before in authorized_keys until then.'
        : 'Rotate again what was rotated since, and tell those who were given new credentials since.',
    ),
  ];
}
