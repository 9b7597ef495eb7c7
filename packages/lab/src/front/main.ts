import { execFileSync } from 'node:child_process';
import { connect, createServer, Server, Socket } from 'node:net';
import { apiServerReady } from '../node/readiness';

const CHECK_MS = 1000;

interface Start {
  address: string;
  port: number;
  backends: string[];
  backendPort: number;
}

/**
 * The lab's switch and, on it, the balancer that keepalived and haproxy would give: layer 4, round robin among the
 * API servers that answer `/readyz`. This process holds the switch's network, which has no way out.
 */
function main(): void {
  process.on('disconnect', () => process.exit());
  process.on('message', (message: Start | 'outside', handle?: unknown) => {
    if (message === 'outside') {
      (handle as Server).on('connection', balance);
      return;
    }
    start(message);
  });
}

const ready = new Set<string>();
let backends: string[] = [];
let backendPort = 0;
let turn = 0;

function start(given: Start): void {
  const { address, port } = given;
  ({ backends, backendPort } = given);
  execFileSync('ip', ['-batch', '-'], {
    input: [
      'link set lo up',
      'link add br0 type bridge',
      `addr add ${address}/24 dev br0`,
      'link set br0 up',
      '',
    ].join('\n'),
  });
  backends.forEach(check);
  createServer({ allowHalfOpen: true }, balance).listen(port, address, () =>
    process.send?.('listening'),
  );
}

async function check(backend: string): Promise<void> {
  if (await apiServerReady(backend, backendPort)) ready.add(backend);
  else ready.delete(backend);
  setTimeout(() => check(backend), CHECK_MS);
}

function balance(client: Socket): void {
  client.pause();
  client.on('error', () => {});
  const candidates = backends.filter(backend => ready.has(backend));
  turn += 1;
  const first = turn % Math.max(1, candidates.length);
  tryNext(client, [...candidates.slice(first), ...candidates.slice(0, first)]);
}

function tryNext(client: Socket, candidates: string[]): void {
  const [backend, ...others] = candidates;
  if (!backend) {
    client.resetAndDestroy();
    return;
  }
  const server = connect({
    host: backend,
    port: backendPort,
    allowHalfOpen: true,
  });
  const failed = () => {
    ready.delete(backend);
    tryNext(client, others);
  };
  server.once('error', failed);
  server.once('connect', () => {
    server.off('error', failed);
    server.on('error', () => client.resetAndDestroy());
    client.on('error', () => server.destroy());
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
    client.setNoDelay(true);
    server.setNoDelay(true);
    client.pipe(server);
    server.pipe(client);
  });
}

main();
