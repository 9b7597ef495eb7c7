import { setTimeout as sleep } from 'node:timers/promises';
import { CoreV1Api } from '@kubernetes/client-node';

const NAMESPACE = 'default';
const NAMES = ['deed', 'letter', 'photograph'];

/** What somebody keeps in a cluster, as its API tells: name and text of each. */
export type Belongings = Record<string, string>;

export async function moveIn(cluster: CoreV1Api): Promise<Belongings> {
  const kept: Belongings = {};
  for (const name of NAMES) {
    kept[name] = `a ${name} of ${new Date().toISOString()}`;
    await cluster.createNamespacedConfigMap({
      namespace: NAMESPACE,
      body: { metadata: { name }, data: { text: kept[name] } },
    });
  }
  return kept;
}

export async function loseAll(cluster: CoreV1Api): Promise<void> {
  for (const name of NAMES) {
    await cluster.deleteNamespacedConfigMap({ namespace: NAMESPACE, name });
  }
}

/** After a restore the API's address may take a second to find a server that is ready. */
export async function lookFor(cluster: CoreV1Api): Promise<Belongings> {
  for (let tries = 0; ; tries++) {
    try {
      const { items } = await cluster.listNamespacedConfigMap({
        namespace: NAMESPACE,
      });
      return Object.fromEntries(
        items
          .filter(({ metadata }) => NAMES.includes(metadata!.name!))
          .map(({ metadata, data }) => [metadata!.name!, data!.text]),
      );
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(200);
    }
  }
}
