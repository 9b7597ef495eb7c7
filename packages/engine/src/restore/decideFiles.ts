import { X509Certificate } from 'node:crypto';
import { posix } from 'node:path';
import { Description } from '../archive';
import { NodesRead } from '../checks';
import { ConnectedCluster } from '../cluster';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import {
  ArchivedFile,
  ControlPlaneNode,
  filesInArchive,
  readControlPlaneNode,
  readFiles,
  wipeFiles,
} from '../layout';
import { Machine } from '../machine';
import { readCertificate } from '../pki';
import { ArchivedFiles, filesToPutBack } from './ArchivedFiles';

/** What a node lacks whose own files say no more what it is. */
const LOST = [
  'layout-not-kubeadm',
  'manifest-unreadable',
  'layout-certificate-unreadable',
];

const KUBELET_FILES = {
  config: '/var/lib/kubelet/config.yaml',
  kubeconfig: '/etc/kubernetes/kubelet.conf',
  certificate: '/var/lib/kubelet/pki/kubelet-client-current.pem',
};

/**
 * Data only, or files and data: the nodes as the restore will have them. A node whose authorities, signing key or
 * encryption keys are not those of the archive, or are gone, gets its files back out of it; so does each when that is
 * asked for.
 *
 * @throws ClusterBackupError `archive-other-machine`, `archive-other-paths`, `archived-certificate-expired`, and those
 * of the machines
 */
export async function decideFiles(
  cluster: ConnectedCluster,
  { nodes, unreadable }: NodesRead,
  description: Description,
  archive: { files: ArchivedFiles; withFiles: boolean },
  signal: AbortSignal,
): Promise<NodesRead> {
  const { files, withFiles } = archive;
  const candidates = await Promise.all(
    cluster.outcomes.map(async ({ machine, role }) => {
      if (!machine || role !== 'control-plane') return undefined;
      const live = nodes.find(node => node.machine === machine);
      const error = unreadable.get(machine.name);
      if (!live && !LOST.includes(error?.code ?? '')) return undefined;
      const own = files.of(machine.name);
      const archived =
        own.length > 0 ? await nodeInArchive(machine, own, signal) : undefined;
      return { machine, live, error, own, archived };
    }),
  );
  const decided: NodesRead = { nodes: [], unreadable: new Map(unreadable) };
  const known = candidates.filter(candidate => candidate !== undefined);
  const whys = known.map(({ live, error, archived }) => {
    if (!archived) return [];
    if (!live) return [error!.message];
    // Of another authority it may be of another cluster: it is left to be refused as it is.
    const isOther = live.caFingerprint !== description.cluster.caFingerprint;
    if (isOther && !withFiles) return [];
    return whyFiles(live, archived, withFiles);
  });
  const anyBack = whys.some(why => why.length);
  for (const [at, { machine, live, own, archived }] of known.entries()) {
    const why = whys[at];
    const isStranger =
      live?.fingerprints.etcdCa !== archived?.fingerprints.etcdCa;
    const isOther = live?.caFingerprint !== archived?.caFingerprint;
    if (archived && anyBack && !why.length && isStranger && !isOther) {
      why.push(
        `etcd's certificate authority on ${machine.name} is not the one that other nodes get back.`,
      );
    }
    if (!archived || !why.length) {
      if (live) decided.nodes.push(live);
      continue;
    }
    refuseOtherMachine(cluster, machine, description);
    refuseOtherPaths(live, archived);
    const kubelet = !(await kubeletServes(machine, archived, own, signal));
    const back = filesToPutBack(own, { kubelet });
    refuseExpiredCertificates(machine, back);
    const directories = new Set(
      back.map(({ header: { path } }) => posix.dirname(path)),
    );
    decided.unreadable.delete(machine.name);
    decided.nodes.push({
      ...archived,
      filesBack: { why, kubelet, directories: [...directories].sort() },
    });
  }
  return decided;
}

async function nodeInArchive(
  machine: Machine,
  files: readonly ArchivedFile[],
  signal: AbortSignal,
): Promise<ControlPlaneNode | undefined> {
  try {
    const archived = filesInArchive(files, machine, signal);
    return await readControlPlaneNode(machine, signal, archived);
  } catch (error) {
    if (!LOST.includes((error as ClusterBackupError).code)) throw error;
    return undefined;
  }
}

function whyFiles(
  live: ControlPlaneNode,
  archived: ControlPlaneNode,
  withFiles: boolean,
): string[] {
  const { name } = live.machine;
  const [now, then] = [live.fingerprints, archived.fingerprints];
  const why: string[] = [];
  if (withFiles) why.push('It was asked for.');
  if (now.frontProxyCa !== then.frontProxyCa) {
    why.push(
      `The front-proxy authority on ${name} is not the one of the archive.`,
    );
  }
  if (now.signingKey !== then.signingKey) {
    why.push(
      `The key on ${name} that signs ServiceAccount tokens is not the one of the archive.`,
    );
  }
  if (!then.encryptionKeys.every(key => now.encryptionKeys.includes(key))) {
    why.push(
      `${name} lacks a key that objects in the archive are encrypted with.`,
    );
  }
  return why;
}

/** Whether the kubelet of a machine can go on with its own files: it logs in with a certificate of the archive's CA. */
async function kubeletServes(
  machine: Machine,
  { apiServer }: ControlPlaneNode,
  archived: readonly ArchivedFile[],
  signal: AbortSignal,
): Promise<boolean> {
  const paths = Object.values(KUBELET_FILES);
  const found = await readFiles(machine, paths, signal);
  const ca = archived.find(({ header }) => header.path === apiServer.clientCa);
  try {
    if (!paths.every(path => found.has(path))) return false;
    const own = new X509Certificate(found.get(KUBELET_FILES.certificate)!);
    const authority = new X509Certificate(ca?.content ?? '');
    return (
      own.verify(authority.publicKey) && Date.parse(own.validTo) > Date.now()
    );
  } catch {
    return false;
  } finally {
    wipeFiles(found.values());
  }
}

/** Where a machine's own files tell no more which cluster it is of, its address does. */
function refuseOtherMachine(
  { access }: ConnectedCluster,
  machine: Machine,
  { nodes }: Description,
) {
  const { address, port = 22 } = access.controlPlane.find(
    ({ name }) => name === machine.name,
  )!;
  const then = nodes.find(({ name }) => name === machine.name);
  if (then?.hostKey === machine.hostKey) return;
  if (then?.address === address && (then.port ?? 22) === port) return;
  throw new ClusterBackupError({
    code: 'archive-other-machine',
    message: `The archive has files of a ${machine.name} at ${
      then?.address ?? 'no address'
    }; ${machine.name} is at ${address} now, with another host key.`,
    state: NOTHING_CHANGED,
    remedy: `Choose a backup of this cluster. Where ${machine.name} was replaced, give it its address of the day of the backup: its certificates are of that address.`,
    details: { machine: machine.name, address, archived: then?.address },
  });
}

function refuseOtherPaths(
  live: ControlPlaneNode | undefined,
  archived: ControlPlaneNode,
) {
  if (!live) return;
  for (const [what, now, then] of [
    ['manifests', live.manifestsDir, archived.manifestsDir],
    ["etcd's data", live.etcd.dataDir, archived.etcd.dataDir],
  ]) {
    if (now === then) continue;
    throw new ClusterBackupError({
      code: 'archive-other-paths',
      message: `${live.machine.name} keeps ${what} in ${now}; with the archive's files they would be in ${then}.`,
      state: NOTHING_CHANGED,
      remedy: `Bring ${what} on ${live.machine.name} back to ${then} first, or choose a later backup.`,
      details: { machine: live.machine.name, now, then },
    });
  }
}

function refuseExpiredCertificates(machine: Machine, back: ArchivedFile[]) {
  for (const { header, content } of back) {
    if (header.type !== 'file' || !header.path.endsWith('.crt')) continue;
    let notAfter: Date;
    try {
      ({ notAfter } = readCertificate(content));
    } catch {
      continue;
    }
    if (notAfter.getTime() > Date.now()) continue;
    throw new ClusterBackupError({
      code: 'archived-certificate-expired',
      message: `${header.path} of ${
        machine.name
      }, which would be put back, expired on ${notAfter
        .toISOString()
        .slice(0, 10)}.`,
      state: NOTHING_CHANGED,
      remedy: `Put the authorities and sa.key of the archive (age, tar: docs/archive-format.md) into /etc/kubernetes/pki of ${machine.name}, make new certificates there (kubeadm init phase certs all, kubeadm init phase kubeconfig all), and restore again: the data alone is restored then.`,
      details: { machine: machine.name, path: header.path },
    });
  }
}
