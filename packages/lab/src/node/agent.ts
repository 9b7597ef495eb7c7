import { chmodSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { eventsEtcd } from '../gdc/plan';
import { mainEtcd } from '../kubeadm/plan';
import { raiseAlarm } from './alarm';
import { startHeartbeat } from './heartbeat';
import { installedImages } from './installed';
import { Kubelet } from './kubelet';
import { AGENT_SOCKET, AgentMethods } from './protocol';
import { apiServerReady, etcdReady, etcdServes } from './readiness';
import { ContainerRuntime } from './runtime';
import { Units } from './units';

/** The one program of ours on a node: its runtime, its kubelet and its services. */
function main(): void {
  const nodeName = hostname();
  const address = process.env.LAB_ADDRESS ?? '';
  const apiPort = Number(process.env.LAB_API_PORT);
  const { PATH, HOME, LANG } = process.env;
  const stopSeconds = process.env.LAB_APISERVER_STOP_SECONDS;
  const runtime = new ContainerRuntime({
    PATH,
    HOME,
    LANG,
    ...(stopSeconds && { LAB_APISERVER_STOP_SECONDS: stopSeconds }),
  });
  const kubelet = new Kubelet(nodeName, runtime);
  const units = new Units(kubelet);
  const heartbeat = startHeartbeat(nodeName, address, () => kubelet.running);

  const methods: { [M in keyof AgentMethods]: (parameters: any) => unknown } = {
    containers: () => runtime.list(),
    stopContainer: ({ id, graceSeconds }) => runtime.stop(id, graceSeconds),
    removeContainer: ({ id }) => runtime.remove(id),
    images: installedImages,
    unit: ({ name }) => units.state(name),
    startUnit: ({ name }) => {
      units.start(name);
      heartbeat.wake();
    },
    stopUnit: ({ name }) => units.stop(name),
    restartUnit: ({ name }) => {
      units.restart(name);
      heartbeat.wake();
    },
    readiness: async () => ({
      etcd: await etcdReady(mainEtcd),
      etcdEvents: await etcdReady(eventsEtcd),
      apiServer: await apiServerReady(address, apiPort),
      node: heartbeat.reported(),
    }),
    etcdServes: () => etcdServes(mainEtcd),
    etcdEventsServes: () => etcdServes(eventsEtcd),
    raiseAlarm: ({ alarm, memberId }) => raiseAlarm(alarm, memberId),
  };

  const server = createServer({ allowHalfOpen: true }, socket => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on('data', chunk => {
      text += chunk;
    });
    socket.on('end', async () => {
      try {
        const { method, parameters } = JSON.parse(text);
        const result = await methods[method as keyof AgentMethods](parameters);
        socket.end(JSON.stringify({ result: result ?? null }));
      } catch (error) {
        socket.end(JSON.stringify({ error: (error as Error).message }));
      }
    });
  });
  server.listen(AGENT_SOCKET, () => {
    chmodSync(AGENT_SOCKET, 0o666);
    units.start('ssh');
    units.start('kubelet');
  });
}

main();
