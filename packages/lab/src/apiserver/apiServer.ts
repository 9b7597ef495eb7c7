import { readFileSync } from 'node:fs';
import { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerApiRequest, sendJson } from './apiRequests';
import { authenticate, authorize } from './authentication';
import {
  DEFAULT_VERSION,
  discoveryDocument,
  versionDocument,
} from './discovery';
import { connectEtcd } from './etcd';
import { etcdOverrides, requiredFlag } from './flags';
import { etcdCheck, healthReport } from './health';
import { readNamedFiles } from './namedFiles';
import { prepareOwnWrites } from './ownWrites';
import { openRegistry } from './registry';
import { asStatusError, unknownPath } from './status';

/** A running API server. */
export interface ApiServer {
  port: number;
  /** says "not ready" at once, goes on serving for that long, then is gone */
  stop(seconds: number): Promise<void>;
}

const healthPaths = /^\/(livez|readyz|healthz)(\/[\w-]+)?$/;

/**
 * Starts an API server with kube-apiserver's flags; listens before etcd is there.
 *
 * @throws Error when it cannot read a file that its flags name
 */
export async function startApiServer(
  flags: Map<string, string>,
  version = DEFAULT_VERSION,
): Promise<ApiServer> {
  readNamedFiles(flags);
  const bindAddress = flags.get('bind-address') ?? '0.0.0.0';
  const advertiseAddress = flags.get('advertise-address') ?? bindAddress;
  const [endpoint] = requiredFlag(flags, 'etcd-servers').split(',');
  const file = (name: string) => readFileSync(requiredFlag(flags, name));
  const connect = (server: string) =>
    connectEtcd(
      server.startsWith('https:')
        ? {
            endpoint: server,
            ca: file('etcd-cafile'),
            cert: file('etcd-certfile'),
            key: file('etcd-keyfile'),
          }
        : { endpoint: server },
    );
  const etcd = connect(endpoint);
  const overrides = new Map(
    etcdOverrides(flags).map(({ resource, server }) => [
      resource,
      connect(server),
    ]),
  );
  const registry = openRegistry(etcd, overrides);
  const ownWrites = prepareOwnWrites(etcd, registry, advertiseAddress);
  let stopping = false;

  const checks = [
    { name: 'ping', passes: () => true },
    etcdCheck(etcd),
    {
      name: 'poststarthook/start-kube-apiserver-identity-lease-controller',
      passes: () => ownWrites.done(),
    },
  ];
  const readyOnly = { name: 'shutdown', passes: () => !stopping };

  async function answerHealth(
    path: string,
    query: URLSearchParams,
    response: ServerResponse,
  ) {
    const [endpointName, only] = path.slice(1).split('/');
    const all = endpointName === 'readyz' ? [...checks, readyOnly] : checks;
    const asked = only ? all.filter(({ name }) => name === only) : all;
    if (asked.length === 0) throw unknownPath();
    const { code, text } = await healthReport(
      endpointName,
      asked,
      query.has('verbose'),
    );
    response.writeHead(code, {
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
  }

  async function answer(request: IncomingMessage, response: ServerResponse) {
    const method = request.method ?? 'GET';
    const [rawPath, search = ''] = (request.url ?? '/').split('?');
    const path = rawPath.length > 1 ? rawPath.replace(/\/$/, '') : rawPath;
    const query = new URLSearchParams(search);
    const isGet = method === 'GET' || method === 'HEAD';
    if (isGet && healthPaths.test(path)) {
      return answerHealth(path, query, response);
    }
    if (isGet && path === '/version') {
      return sendJson(response, 200, versionDocument(version));
    }
    authorize(authenticate(request.socket as TLSSocket), method, path);
    const document = isGet ? discoveryDocument(path) : undefined;
    if (document) return sendJson(response, 200, document);
    return answerApiRequest(registry, request, response, path, query);
  }

  const server = createServer(
    {
      cert: file('tls-cert-file'),
      key: file('tls-private-key-file'),
      ca: file('client-ca-file'),
      requestCert: true,
      rejectUnauthorized: false,
      keepAliveTimeout: 90_000,
    },
    (request, response) => {
      answer(request, response).catch(error => {
        if (response.headersSent) {
          response.destroy();
          return;
        }
        // the rest of a body that nobody reads must not hold the connection
        request.resume();
        const status = asStatusError(error);
        sendJson(response, status.code, status.toStatus());
      });
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(Number(flags.get('secure-port') ?? 6443), bindAddress, () =>
      resolve(),
    );
  });
  ownWrites.start();

  return {
    port: (server.address() as AddressInfo).port,
    async stop(seconds) {
      stopping = true;
      ownWrites.stop();
      await sleep(seconds * 1000);
      server.close();
      server.closeAllConnections();
      etcd.close();
      overrides.forEach(other => other.close());
    },
  };
}
