import { ControlPlaneNode } from '../layout/ControlPlaneNode';
import { connectKubernetes, KubernetesClient } from './connectKubernetes';
import { readNodeCredentials } from './nodeCredentials';

/**
 * Asks an API server something over a connection of its own, with the node's credentials: the node's own server, or
 * through the address that its kubelet uses.
 *
 * @throws ClusterBackupError those of {@link connectKubernetes} and of the credentials
 * @public
 */
export async function askApi<T>(
  node: ControlPlaneNode,
  which: 'own' | 'front',
  signal: AbortSignal,
  question: (api: KubernetesClient) => Promise<T>,
): Promise<T> {
  const { advertiseAddress = '127.0.0.1', port } = node.apiServer;
  const own = advertiseAddress.includes(':')
    ? `[${advertiseAddress}]`
    : advertiseAddress;
  const api = connectKubernetes(node.machine, {
    server: which === 'own' ? `https://${own}:${port}` : node.frontServer,
    credentials: await readNodeCredentials(node, signal),
    signal,
  });
  try {
    return await question(api);
  } finally {
    api.close();
  }
}
