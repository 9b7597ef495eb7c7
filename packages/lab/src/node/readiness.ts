import { get } from 'node:http';
import { get as getSecurely } from 'node:https';
import { EtcdPlan } from '../kubeadm/plan';

const TIMEOUT_MS = 1000;

/** Whether the node's etcd answers its peers and clients, with a leader or without. */
export function etcdServes(etcd: EtcdPlan): Promise<boolean> {
  return etcdAnswers(etcd, '/livez');
}

/** Whether it can read what the majority holds. */
export function etcdReady(etcd: EtcdPlan): Promise<boolean> {
  return etcdAnswers(etcd, '/readyz');
}

function etcdAnswers(
  { metricsPort }: EtcdPlan,
  path: string,
): Promise<boolean> {
  return new Promise(resolve => {
    const url = `http://127.0.0.1:${metricsPort}${path}`;
    get(url, { timeout: TIMEOUT_MS }, response => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .on('timeout', function timedOut(this: { destroy(): void }) {
        this.destroy();
      })
      .on('error', () => resolve(false));
  });
}

/** Whether an API server answers `/readyz`. The answer, not the certificate, is what counts here. */
export function apiServerReady(
  address: string,
  port: number,
): Promise<boolean> {
  return new Promise(resolve => {
    getSecurely(
      `https://${address}:${port}/readyz`,
      { timeout: TIMEOUT_MS, rejectUnauthorized: false, agent: false },
      response => {
        response.resume();
        resolve((response.statusCode ?? 500) < 500);
      },
    )
      .on('timeout', function timedOut(this: { destroy(): void }) {
        this.destroy();
      })
      .on('error', () => resolve(false));
  });
}
