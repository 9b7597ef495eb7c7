import { posix } from 'node:path';
import { stringify } from 'yaml';
import {
  cancelled,
  ClusterAccess,
  connectCluster,
  ConnectedCluster,
} from '../cluster';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { ControlPlaneNode, readControlPlaneNode, readFiles } from '../layout';
import { mintClientCertificate } from '../pki';
import { archivedMachines } from './archivedAccess';
import { ArchiveSource } from './restoreCluster';

const HOUR_MS = 3_600_000;
/** Clocks of API servers may be behind. */
const SKEW_MS = 300_000;
const WITHIN_MS = 60_000;

/** A way into a cluster that ends by itself; to be handed to a person and kept nowhere. @public */
export interface MintedKubeconfig {
  kubeconfig: string;
  /** Where it leads: the address that kubelets use. */
  server: string;
  /** ISO 8601. */
  expiresAt: string;
}

/**
 * Makes a kubeconfig that is good for an hour, of the certificate authority that is on a control-plane node.
 *
 * It is of the group `system:masters`, which the API server lets do everything whatever RBAC says (Kubernetes, "Using
 * RBAC Authorization"; kubeadm's super-admin.conf): after a restore RBAC is as old as the backup.
 *
 * @param options - `holder` is the certificate's common name, which the cluster's audit log shows; `archive` tells how
 * the machines are reached, where nothing else does
 * @throws ClusterBackupError `ca-key-missing`, `ca-key-unusable`, `kubeconfig-not-minted`, and those of reaching a node
 * @public
 */
export async function mintKubeconfig(options: {
  cluster: ClusterAccess;
  holder: string;
  archive?: ArchiveSource;
  signal?: AbortSignal;
}): Promise<MintedKubeconfig> {
  const { archive, holder } = options;
  const stop = options.signal ?? new AbortController().signal;
  const signal = AbortSignal.any([stop, AbortSignal.timeout(WITHIN_MS)]);
  const cluster = await connectCluster(options.cluster, {
    signal,
    lastResort:
      archive &&
      ((access, patience) => archivedMachines(access, archive, patience)),
  });
  try {
    const node = await firstNode(cluster, signal);
    return await mintOn(node, cluster.access.name, holder, signal);
  } catch (error) {
    if (stop.aborted) throw cancelled(NOTHING_CHANGED);
    throw error;
  } finally {
    await cluster.close();
  }
}

/** Any control-plane node will do: they share the authority. */
async function firstNode(
  { access, outcomes }: ConnectedCluster,
  signal: AbortSignal,
): Promise<ControlPlaneNode> {
  let why: ClusterBackupError | undefined;
  for (const { machine, error, role } of outcomes) {
    if (role !== 'control-plane') continue;
    why ??= error;
    if (!machine) continue;
    try {
      return await readControlPlaneNode(machine, signal);
    } catch (unreadable) {
      if (!(unreadable instanceof ClusterBackupError)) throw unreadable;
      why ??= unreadable;
    }
  }
  throw (
    why ??
    new ClusterBackupError({
      code: 'kubeconfig-not-minted',
      message: `${access.name} has no control-plane node that could be asked for its authority.`,
      state: NOTHING_CHANGED,
      remedy: 'Look at the configuration of the cluster.',
    })
  );
}

async function mintOn(
  { machine, apiServer, frontServer }: ControlPlaneNode,
  name: string,
  holder: string,
  signal: AbortSignal,
): Promise<MintedKubeconfig> {
  const path = apiServer.clientCa;
  const keyPath = posix.join(
    posix.dirname(path),
    `${posix.basename(path, '.crt')}.key`,
  );
  const files = await readFiles(machine, [path, keyPath], signal);
  const certificate = files.get(path)!;
  const key = files.get(keyPath);
  const details = { machine: machine.name, path: keyPath };
  if (!key) {
    throw new ClusterBackupError({
      code: 'ca-key-missing',
      message: `${keyPath} is not on ${machine.name}: the cluster's authority is kept somewhere else, and signs nothing here.`,
      state: NOTHING_CHANGED,
      remedy: `Use /etc/kubernetes/super-admin.conf or admin.conf of ${machine.name}, or have whoever keeps the authority sign a certificate.`,
      details,
    });
  }
  const now = Date.now();
  try {
    const minted = await mintClientCertificate(
      { certificate, key },
      { organization: 'system:masters', commonName: holder },
      {
        notBefore: new Date(now - SKEW_MS),
        notAfter: new Date(now + HOUR_MS),
      },
    );
    return {
      kubeconfig: kubeconfigOf(name, frontServer, certificate, minted),
      server: frontServer,
      expiresAt: minted.notAfter.toISOString(),
    };
  } catch (error) {
    throw new ClusterBackupError({
      code: 'ca-key-unusable',
      message: `The authority on ${machine.name} signs no certificate: ${
        (error as Error).message
      }`,
      state: NOTHING_CHANGED,
      remedy: `Look at ${path} and ${keyPath} on ${machine.name}.`,
      details,
    });
  } finally {
    key.fill(0);
  }
}

function kubeconfigOf(
  cluster: string,
  server: string,
  authority: Buffer,
  minted: { certificate: string; key: string },
): string {
  const base64 = (text: string | Buffer) =>
    Buffer.from(text as string).toString('base64');
  const user = 'cluster-backup';
  const context = `${user}@${cluster}`;
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': context,
    contexts: [{ name: context, context: { cluster, user } }],
    clusters: [
      {
        name: cluster,
        cluster: { server, 'certificate-authority-data': base64(authority) },
      },
    ],
    users: [
      {
        name: user,
        user: {
          'client-certificate-data': base64(minted.certificate),
          'client-key-data': base64(minted.key),
        },
      },
    ],
  });
}
