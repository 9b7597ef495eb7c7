import { ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { bundlePath, bundlePrograms } from '../bundle';
import { kindNamed, storageKey } from './kinds';
import { objectOf } from './storedObject';
import {
  ControlPlane,
  makeControlPlane,
  until,
} from './__testUtils__/controlPlane';

let plane: ControlPlane;
let admin: { cert: string; key: string };
const running = new Set<ChildProcess>();

function run(bundle: string, flags: string[], environment: object = {}) {
  const child = spawn(process.execPath, [bundlePath(bundle), ...flags], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

function readyz(): Promise<number> {
  return new Promise(resolve => {
    get(
      `https://127.0.0.1:${plane.apiPort}/readyz`,
      { ca: readFileSync(plane.caFile), agent: false },
      response => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    ).on('error', () => resolve(0));
  });
}

beforeAll(async () => {
  plane = await makeControlPlane();
  admin = plane.kubernetes.issue('admin', '/O=system:masters/CN=admin');
  await bundlePrograms();
  await plane.startEtcd();
});

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await plane.remove();
});

it('an API server told to stop says so, serves for the given time, and exits', async () => {
  const child = run('apiserver.cjs', plane.flags, {
    LAB_APISERVER_STOP_SECONDS: '1.5',
  });
  await until('ready', async () => (await readyz()) === 200);
  const started = Date.now();
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await until('not ready', async () => (await readyz()) === 500, 1_000);
  expect(await ended).toEqual([0, null]);
  expect(Date.now() - started).toBeGreaterThanOrEqual(1_500);
  expect(Date.now() - started).toBeLessThan(3_500);
  expect(await readyz()).toBe(0);
});

it('controller manager and scheduler hold their leases through an outage of the API', async () => {
  let server = run('apiserver.cjs', plane.flags, {
    LAB_APISERVER_STOP_SECONDS: '0',
  });
  await until('ready', async () => (await readyz()) === 200);
  const kubeconfig = join(plane.directory, 'component.conf');
  const inline = (path: string) => readFileSync(path).toString('base64');
  writeFileSync(
    kubeconfig,
    `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${inline(plane.caFile)}
    server: https://127.0.0.1:${plane.apiPort}
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: component
  name: component@kubernetes
current-context: component@kubernetes
kind: Config
preferences: {}
users:
- name: component
  user:
    client-certificate-data: ${inline(admin.cert)}
    client-key-data: ${inline(admin.key)}
`,
  );
  const flags = [`--kubeconfig=${kubeconfig}`, '--leader-elect=true'];
  const components = ['controllerManager.cjs', 'scheduler.cjs'].map(entry =>
    run(entry, flags),
  );
  const leases = kindNamed('leases');
  const renewals = () =>
    Promise.all(
      ['kube-controller-manager', 'kube-scheduler'].map(async name => {
        const key = storageKey(leases, 'kube-system', name);
        const [stored] = (await plane.etcd.range({ key })).kvs;
        return stored ? Date.parse(objectOf(leases, stored).spec.renewTime) : 0;
      }),
    );
  const renewedSince = (time: number) => async () =>
    (await renewals()).every(renewed => renewed > time);
  await until('both hold their lease', renewedSince(0));

  server.kill('SIGKILL');
  await once(server, 'exit');
  server = run('apiserver.cjs', plane.flags, {
    LAB_APISERVER_STOP_SECONDS: '0',
  });
  await until('ready', async () => (await readyz()) === 200);
  await until('both renewed', renewedSince(Date.now()));

  for (const component of components) {
    const ended = once(component, 'exit');
    component.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  }
});
