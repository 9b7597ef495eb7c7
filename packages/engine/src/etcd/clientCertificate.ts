import { posix } from 'node:path';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { ControlPlaneNode } from '../layout/ControlPlaneNode';
import { readFiles, wipeFiles } from '../layout/readFiles';
import { readCertificate } from '../pki/certificate';

/** What a TLS connection to a member needs; it is kept in memory only, and wiped when the connection is over. */
export interface MemberCredentials {
  rootCertificate: Buffer;
  certChain: Buffer;
  privateKey: Buffer;
  /** A name that the member's certificate is for. */
  serverName: string;
}

/**
 * Reads the etcd client certificate of a node: the one of its health check, else the one of its API server, else the
 * member's own, of which kubeadm makes a client certificate too. The first that is not expired is taken.
 */
export async function readClientCertificate(
  node: ControlPlaneNode,
  signal: AbortSignal,
): Promise<MemberCredentials> {
  const { certificate } = node.etcd;
  const folder = posix.dirname(certificate.ca);
  const pairs = [
    {
      cert: posix.join(folder, 'healthcheck-client.crt'),
      key: posix.join(folder, 'healthcheck-client.key'),
    },
    node.apiServer.etcdClient,
    { cert: certificate.serverCert, key: certificate.serverKey },
    certificate.peerCert && certificate.peerKey
      ? { cert: certificate.peerCert, key: certificate.peerKey }
      : undefined,
  ].filter(pair => pair !== undefined);
  const files = await readFiles(
    node.machine,
    [
      ...new Set([
        certificate.ca,
        certificate.serverCert,
        ...pairs.flatMap(({ cert, key }) => [cert, key]),
      ]),
    ],
    signal,
  );
  let taken: MemberCredentials | undefined;
  try {
    taken = credentialsIn(node, pairs, files);
    return taken;
  } finally {
    const kept = Object.values(taken ?? {});
    const others = [...files.values()].filter(file => !kept.includes(file));
    wipeFiles(others);
  }
}

function credentialsIn(
  { machine, etcd: { certificate, name } }: ControlPlaneNode,
  pairs: Array<{ cert: string; key: string }>,
  files: Map<string, Buffer>,
): MemberCredentials {
  const folder = posix.dirname(certificate.ca);
  const fail = (code: string, why: string, remedy: string, path: string) =>
    new ClusterBackupError({
      code,
      message: `etcd member ${name} on ${machine.name} cannot be asked: ${why}.`,
      state: NOTHING_CHANGED,
      remedy,
      details: { member: name, machine: machine.name, path },
    });
  const read = (path: string) => {
    try {
      return readCertificate(files.get(path) ?? '');
    } catch {
      return undefined;
    }
  };
  const server = read(certificate.serverCert);
  const rootCertificate = files.get(certificate.ca);
  for (const path of [certificate.ca, certificate.serverCert]) {
    if (!read(path)) {
      throw fail(
        'etcd-certificate-missing',
        `there is no certificate in ${path}`,
        `Put the certificate back at ${path}.`,
        path,
      );
    }
  }
  const present = pairs.filter(({ cert, key }) => read(cert) && files.has(key));
  if (present.length === 0) {
    throw fail(
      'etcd-certificate-missing',
      `there is no etcd client certificate with its key in ${folder}`,
      'Make one with: kubeadm init phase certs etcd-healthcheck-client.',
      folder,
    );
  }
  const valid = present.find(
    ({ cert }) => read(cert)!.notAfter.getTime() > Date.now(),
  );
  if (!valid) {
    throw fail(
      'etcd-certificate-expired',
      `its client certificate expired on ${read(
        present[0].cert,
      )!.notAfter.toISOString()}`,
      'Renew the certificates with: kubeadm certs renew all.',
      present[0].cert,
    );
  }
  const names = server!.dnsNames;
  return {
    rootCertificate: rootCertificate!,
    certChain: files.get(valid.cert)!,
    privateKey: files.get(valid.key)!,
    serverName:
      names.find(dnsName => dnsName === 'localhost') ??
      names[0] ??
      server!.ipAddresses[0] ??
      'localhost',
  };
}
