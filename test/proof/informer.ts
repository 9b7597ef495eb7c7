import {
  CoreV1Api,
  KubeConfig,
  KubernetesObject,
  makeInformer,
} from '@kubernetes/client-node';

/** A client that watched all the time, as a controller does. */
export interface Watcher {
  /** `NAMESPACE/NAME` and version of every object it believes to be there. */
  believed(): Map<string, string>;
  /** How often it had to list anew. */
  errors: number;
  stop(): Promise<void>;
}

/** Opens an informer on the ConfigMaps of all namespaces. */
export async function watchConfigMaps(kubeconfig: string): Promise<Watcher> {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const api = config.makeApiClient(CoreV1Api);
  const informer = makeInformer(config, '/api/v1/configmaps', () =>
    api.listConfigMapForAllNamespaces(),
  );
  const believed = new Map<string, string>();
  const keyOf = ({ metadata }: KubernetesObject) =>
    `${metadata!.namespace}/${metadata!.name}`;
  const keep = (object: KubernetesObject) =>
    void believed.set(keyOf(object), object.metadata!.resourceVersion!);
  informer.on('add', keep);
  informer.on('update', keep);
  informer.on('delete', object => void believed.delete(keyOf(object)));
  let stopped = false;
  const watcher = {
    errors: 0,
    believed: () => new Map(believed),
    async stop() {
      stopped = true;
      await informer.stop();
    },
  };
  informer.on('error', () => {
    watcher.errors++;
    // As every controller does: wait, then list and watch again.
    if (!stopped) setTimeout(() => stopped || informer.start(), 500);
  });
  await informer.start();
  return watcher;
}
