import { setTimeout as sleep } from 'node:timers/promises';
import { LabNode } from '../LabNode';
import { IMAGES_FILE, KUBELET_VERSION_FILE } from '../node/installed';

const MANIFESTS = '/etc/kubernetes/manifests';
const PATIENCE_MS = 60_000;

/**
 * Does what `kubeadm upgrade` does to a node's control plane: one component after the other is started from a new image,
 * etcd from another build of the same release.
 *
 * @throws Error when a component does not come back within a minute
 */
export async function upgradeControlPlane(
  node: LabNode,
  kubernetesVersion: string,
): Promise<void> {
  if (node.role === 'worker') {
    throw new Error(`${node.name} is a worker: only its kubelet is upgraded.`);
  }
  for (const pod of [
    'etcd',
    'kube-apiserver',
    'kube-controller-manager',
    'kube-scheduler',
  ]) {
    const file = `${MANIFESTS}/${pod}.yaml`;
    const manifest = await node.readFile(file);
    const [, name, tag] = /^ +image: (\S+):(\S+)$/m.exec(manifest) ?? [];
    const image = `${name}:${
      pod === 'etcd' ? nextBuild(tag) : kubernetesVersion
    }`;
    await node.exec(['tee', '-a', IMAGES_FILE], { input: `${image}\n` });
    await node.writeFile(file, manifest.replace(`${name}:${tag}`, image));
    await until(`${pod} of ${node.name} to run from ${image}`, async () => {
      const containers = await node.ask('containers');
      return containers.some(
        container =>
          container.podName === `${pod}-${node.name}` &&
          container.image === image &&
          container.state === 'CONTAINER_RUNNING',
      );
    });
  }
  await until(`the control plane of ${node.name} to be ready`, async () => {
    const { etcd, apiServer } = await node.ask('readiness');
    return etcd && apiServer;
  });
}

/** `3.5.16-0` becomes `3.5.16-1`. */
function nextBuild(tag: string): string {
  return tag.replace(/\d+$/, build => String(Number(build) + 1));
}

/** Puts another kubelet in the place of a machine's and starts it; it reports itself when it next can. */
export async function upgradeKubelet(
  node: LabNode,
  kubernetesVersion: string,
): Promise<void> {
  await node.writeFile(KUBELET_VERSION_FILE, kubernetesVersion);
  await node.ask('restartUnit', { name: 'kubelet' });
}

async function until(
  what: string,
  done: () => Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await done())) {
    if (Date.now() > deadline) throw new Error(`Waited in vain for ${what}.`);
    await sleep(100);
  }
}
