import { parse } from 'yaml';
import { ControlPlaneNode } from './ControlPlaneNode';
import { readFiles, wipeFiles } from './readFiles';
import { CertificateFacts, readCertificate } from '../pki/certificate';

/** A certificate on a node. @public */
export interface NodeCertificate extends CertificateFacts {
  /** The file that holds it; a kubeconfig holds one inside. */
  path: string;
}

/** The client certificates inside of a kubeconfig. */
function certificatesOfKubeconfig(text: string): string[] {
  const document = parse(text) as {
    users?: Array<{ user?: { 'client-certificate-data'?: string } }>;
  } | null;
  return (document?.users ?? []).flatMap(({ user }) =>
    user?.['client-certificate-data']
      ? [Buffer.from(user['client-certificate-data'], 'base64').toString()]
      : [],
  );
}

/**
 * Lists the certificates among the files that a backup keeps of a node, in one command: of certificate files the
 * first, and those inside of kubeconfigs. What holds none is passed over.
 *
 * @public
 */
export async function readNodeCertificates(
  node: Pick<ControlPlaneNode, 'machine' | 'capture'>,
  signal: AbortSignal,
): Promise<NodeCertificate[]> {
  const paths = node.capture.filter(path => /\.(crt|pem|conf)$/.test(path));
  const files = await readFiles(node.machine, paths, signal);
  const found: NodeCertificate[] = [];
  for (const [path, content] of files) {
    const text = content.toString('utf8');
    try {
      const texts = path.endsWith('.conf')
        ? certificatesOfKubeconfig(text)
        : [text];
      found.push(...texts.map(pem => ({ path, ...readCertificate(pem) })));
    } catch {
      // Not everything that is named like one is a certificate: kubelet.pem files may hold a key alone.
    }
  }
  wipeFiles(files.values());
  return found.sort((a, b) => a.notAfter.getTime() - b.notAfter.getTime());
}
