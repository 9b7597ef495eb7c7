import { Agent, get } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { Lab } from '@cluster-backup/lab';

const EVERY_MS = 100;
const PATIENCE_MS = 1000;
const CALM_MS = 3000;

/**
 * Asks the API's front every 100 ms whether it is ready, apart from whoever restores. The outage is the time from the
 * first question that was not answered well to the first of those that all were.
 */
export async function watchApi(
  lab: Lab,
): Promise<{ stop(): Promise<{ outageSeconds: number }> }> {
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromString(await lab.kubeconfig());
  const user = kubeconfig.getCurrentUser()!;
  const agent = new Agent({
    ca: Buffer.from(kubeconfig.getCurrentCluster()!.caData!, 'base64'),
    cert: Buffer.from(user.certData!, 'base64'),
    key: Buffer.from(user.keyData!, 'base64'),
  });
  const isReady = () =>
    new Promise<boolean>(resolve => {
      const { host, port } = lab.front;
      const question = get(
        { agent, host, port, path: '/readyz', timeout: PATIENCE_MS },
        answer => {
          answer.resume();
          resolve(answer.statusCode === 200);
        },
      );
      question.on('timeout', () => question.destroy());
      question.on('error', () => resolve(false));
    });

  const asked: Array<{ at: number; ready: Promise<boolean> }> = [];
  const ask = () => asked.push({ at: performance.now(), ready: isReady() });
  const timer = setInterval(ask, EVERY_MS);
  return {
    async stop() {
      // Each server was found ready by itself; the front may still be learning of one.
      await sleep(CALM_MS);
      clearInterval(timer);
      const ready = await Promise.all(asked.map(question => question.ready));
      agent.destroy();
      const first = ready.indexOf(false);
      if (first < 0) return { outageSeconds: 0 };
      const back = asked[ready.lastIndexOf(false) + 1];
      if (!back) throw new Error('The API is not back.');
      return { outageSeconds: (back.at - asked[first].at) / 1000 };
    },
  };
}
