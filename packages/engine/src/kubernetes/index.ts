export { connectKubernetes } from './connectKubernetes';
export type { KubernetesClient, KubernetesNode } from './connectKubernetes';
export { fromHere } from './Dialer';
export { readKubeconfig } from './kubeconfig';
export type { KubernetesCredentials } from './kubeconfig';
export { readNodeCredentials } from './nodeCredentials';
export { askApi } from './askApi';
