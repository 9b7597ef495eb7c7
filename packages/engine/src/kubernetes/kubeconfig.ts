import { parse } from 'yaml';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';

/** What a kubeconfig says about reaching its cluster; kept in memory only. */
export interface KubernetesCredentials {
  server: string;
  ca: string;
  cert: string;
  key: string;
}

interface KubeconfigDocument {
  'current-context'?: string;
  contexts?: Array<{
    name?: string;
    context?: { cluster?: string; user?: string };
  }>;
  clusters?: Array<{
    name?: string;
    cluster?: { server?: string; 'certificate-authority-data'?: string };
  }>;
  users?: Array<{
    name?: string;
    user?: {
      'client-certificate-data'?: string;
      'client-key-data'?: string;
    };
  }>;
}

const decode = (text: string | undefined) =>
  text === undefined ? undefined : Buffer.from(text, 'base64').toString('utf8');

/**
 * Reads the current context of a kubeconfig that has its certificates inside, as those of kubeadm have.
 *
 * @param from - where it comes from, for messages
 * @throws ClusterBackupError `kubeconfig-unreadable`
 */
export function readKubeconfig(
  text: string,
  from: string,
): KubernetesCredentials {
  const fail = (why: string, cause?: unknown) =>
    new ClusterBackupError({
      code: 'kubeconfig-unreadable',
      message: `The kubeconfig ${from} cannot be used: ${why}.`,
      state: NOTHING_CHANGED,
      remedy:
        'Make a new one with: kubeadm init phase kubeconfig admin (or super-admin).',
      details: { from },
      cause,
    });
  let document: KubeconfigDocument | null;
  try {
    document = parse(text) as KubeconfigDocument | null;
  } catch (error) {
    // A parser's message quotes the text, which holds a key.
    throw fail('it is no valid YAML');
  }
  const context = document?.contexts?.find(
    ({ name }) => name === document['current-context'],
  )?.context;
  const cluster = document?.clusters?.find(
    ({ name }) => name === context?.cluster,
  )?.cluster;
  const user = document?.users?.find(
    ({ name }) => name === context?.user,
  )?.user;
  const ca = decode(cluster?.['certificate-authority-data']);
  const cert = decode(user?.['client-certificate-data']);
  const key = decode(user?.['client-key-data']);
  if (!cluster?.server || !URL.canParse(cluster.server)) {
    throw fail('its current context names no server');
  }
  if (!ca || !cert || !key) {
    throw fail('it holds no certificate authority, client certificate and key');
  }
  return { server: cluster.server, ca, cert, key };
}
