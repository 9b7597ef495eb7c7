import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { isIP } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as tlsConnect } from 'node:tls';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { Dialer } from './Dialer';
import { KubernetesCredentials } from './kubeconfig';

const TIMEOUT_MS = 10_000;
const MAX_ANSWER = 64 << 20;
/** Characters of what an API server says; it stands in messages and logs. */
const MAX_REASON = 1000;

/** A node as the API server lists it. @public */
export interface KubernetesNode {
  name: string;
  ready: boolean;
  /** Why it is not, in the kubelet's words. */
  reason?: string;
  internalAddresses: string[];
  controlPlane: boolean;
  kubeletVersion: string;
}

/** One API server at one address, asked through a machine. @public */
export interface KubernetesClient {
  /** The address it asks: `https://127.0.0.1:6443`. */
  readonly server: string;
  /** Resolves when the API server runs. */
  livez(): Promise<void>;
  /** Resolves when the API server serves. */
  readyz(): Promise<void>;
  /** Without the leading `v`. */
  version(): Promise<string>;
  nodes(): Promise<KubernetesNode[]>;
  /** The UID of the namespace `kube-system`: what a cluster keeps for life. */
  kubeSystemUid(): Promise<string>;
  /** How many certificate signing requests wait for an answer. */
  pendingSigningRequests(): Promise<number>;
  /** GET of any path, as JSON. */
  get<T>(path: string): Promise<T>;
  /** Sends an object; answers what the server stored. */
  send<T>(
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<T>;
  close(): void;
}

interface Answer {
  status: number;
  body: string;
}

/** TLS over a connection that a machine opened. */
async function openTls(
  machine: Dialer,
  url: URL,
  credentials: KubernetesCredentials,
  signal: AbortSignal,
): Promise<Duplex> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const tunnel = await machine.dial(host, Number(url.port || 443));
  const socket = tlsConnect({
    socket: tunnel,
    ca: credentials.ca,
    cert: credentials.cert,
    key: credentials.key,
    host,
    servername: isIP(host) ? undefined : host,
    ALPNProtocols: ['http/1.1'],
  });
  // TLS over a stream does not notice by itself that the stream ended.
  tunnel.once('close', () => socket.destroy());
  tunnel.once('end', () => socket.destroy());
  tunnel.on('error', error => socket.destroy(error));
  try {
    await once(socket, 'secureConnect', {
      // A request that is given up before it has a connection waits for it all the same.
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
  } catch (error) {
    socket.destroy();
    tunnel.destroy();
    throw error;
  }
  return socket;
}

/**
 * Makes a client of the API server at an address as seen from a machine; it connects when it is first asked.
 *
 * @param server - `https://127.0.0.1:6443` for the node's own, or the address in front of all of them
 * @throws ClusterBackupError, from its calls: `api-unreachable`, `api-not-ready`, `api-forbidden`,
 * `api-certificate-refused`, `api-refused`, and those of the machine
 * @public
 */
export function connectKubernetes(
  machine: Dialer,
  options: {
    server: string;
    credentials: KubernetesCredentials;
    signal: AbortSignal;
  },
): KubernetesClient {
  const { credentials, signal } = options;
  const url = new URL(options.server);
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  // The TLS connection is made here, over the machine's; node's agent only keeps it.
  agent.createConnection = (_options, created) => {
    openTls(machine, url, credentials, signal).then(
      socket => created?.(null, socket),
      (error: Error) => created?.(error, undefined as unknown as Duplex),
    );
    return undefined;
  };

  const where = `${url.origin} (asked from ${machine.name})`;
  const details = { machine: machine.name, server: url.origin };
  const unreachable = (error: Error) => {
    // What the machine says of itself stands; that nothing listens there is said better in Kubernetes' terms.
    if (
      error instanceof ClusterBackupError &&
      !['dial-refused', 'dial-closed'].includes(error.code)
    ) {
      return error;
    }
    const certificate =
      /certificate|self.signed|unable to (verify|get)|altnames|alert/i.test(
        error.message,
      );
    return new ClusterBackupError({
      code: certificate ? 'api-certificate-refused' : 'api-unreachable',
      message: `The API server at ${where} ${
        certificate ? 'was refused' : 'does not answer'
      }: ${error.message}`,
      state: NOTHING_CHANGED,
      remedy: certificate
        ? 'Check that the certificates of the node and the kubeconfig come from one certificate authority and are not expired.'
        : `Look at the kube-apiserver container on ${machine.name}: crictl ps -a --name kube-apiserver, crictl logs.`,
      details,
      cause: error,
    });
  };

  async function exchange(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Answer> {
    signal.throwIfAborted();
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    try {
      return await new Promise<Answer>((resolve, reject) => {
        const text = body === undefined ? undefined : JSON.stringify(body);
        const call = request({
          agent,
          method,
          path,
          host: url.hostname,
          port: url.port || 443,
          headers: {
            accept: 'application/json',
            ...(text !== undefined && {
              'content-type': 'application/json',
              'content-length': Buffer.byteLength(text),
            }),
          },
          signal: AbortSignal.any([signal, timeout, machine.lost]),
        });
        call.on('error', reject);
        call.on('response', response => {
          const chunks: Buffer[] = [];
          let size = 0;
          response.on('error', reject);
          response.on('data', (chunk: Buffer) => {
            chunks.push(chunk);
            size += chunk.length;
            if (size > MAX_ANSWER) {
              call.destroy(
                new Error(`The answer is larger than ${MAX_ANSWER} bytes.`),
              );
            }
          });
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              body: Buffer.concat(chunks).toString('utf8'),
            }),
          );
        });
        call.end(text);
      });
    } catch (error) {
      signal.throwIfAborted();
      if (machine.lost.aborted) {
        throw machine.lost.reason;
      }
      throw unreachable(
        timeout.aborted
          ? new Error(`no answer within ${TIMEOUT_MS / 1000} s`)
          : (error as Error),
      );
    }
  }

  /** The reason in a Status object, else the first line. */
  function reasonOf({ status, body }: Answer): string {
    try {
      const { message } = JSON.parse(body) as { message?: unknown };
      return typeof message === 'string'
        ? message.slice(0, MAX_REASON)
        : `HTTP ${status}`;
    } catch {
      return body.split('\n')[0].slice(0, 200) || `HTTP ${status}`;
    }
  }

  function refusal(path: string, answer: Answer): ClusterBackupError {
    const { status } = answer;
    const common = {
      state: NOTHING_CHANGED,
      details: { ...details, path, status, reason: reasonOf(answer) },
    };
    if (status === 401 || status === 403) {
      return new ClusterBackupError({
        ...common,
        code: 'api-forbidden',
        message: `The API server at ${where} does not let ${path} be read: ${reasonOf(
          answer,
        )}`,
        remedy:
          'Use a kubeconfig of the group system:masters, such as /etc/kubernetes/super-admin.conf, and check that its certificate comes from the cluster’s own certificate authority.',
      });
    }
    if (status >= 500 || status === 429) {
      const failing = answer.body
        .split('\n')
        .filter(line => line.startsWith('[-]'))
        .join(', ');
      return new ClusterBackupError({
        ...common,
        code: 'api-not-ready',
        message: `The API server at ${where} is not ready: ${
          failing || reasonOf(answer)
        }`,
        remedy: 'Wait, or look at the log of the kube-apiserver container.',
      });
    }
    return new ClusterBackupError({
      ...common,
      code: 'api-refused',
      message: `The API server at ${where} refused ${path}: ${reasonOf(
        answer,
      )}`,
      remedy: 'Look at the log of the kube-apiserver container.',
    });
  }

  async function healthy(path: string) {
    const answer = await exchange('GET', path);
    if (answer.status !== 200) {
      throw refusal(path, answer);
    }
  }

  async function send<T>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<T> {
    const answer = await exchange(method, path, body);
    if (answer.status < 200 || answer.status > 299) {
      throw refusal(path, answer);
    }
    try {
      return JSON.parse(answer.body) as T;
    } catch {
      throw refusal(path, { ...answer, body: 'The answer is no JSON.' });
    }
  }
  const get = <T>(path: string) => send<T>('GET', path);

  return {
    server: url.origin,
    livez: () => healthy('/livez'),
    readyz: () => healthy('/readyz'),
    async version() {
      const { gitVersion } = await get<{ gitVersion: string }>('/version');
      return gitVersion.replace(/^v/, '');
    },
    async nodes() {
      const { items } = await get<{
        items: Array<{
          metadata: { name: string; labels?: Record<string, string> };
          status?: {
            conditions?: Array<{
              type: string;
              status: string;
              reason?: string;
              message?: string;
            }>;
            addresses?: Array<{ type: string; address: string }>;
            nodeInfo?: { kubeletVersion?: string };
          };
        }>;
      }>('/api/v1/nodes');
      return items.map(({ metadata, status }) => {
        const condition = status?.conditions?.find(
          ({ type }) => type === 'Ready',
        );
        const ready = condition?.status === 'True';
        return {
          name: metadata.name,
          ready,
          ...(!ready && {
            reason:
              condition?.message ??
              condition?.reason ??
              'it never reported its state',
          }),
          internalAddresses: (status?.addresses ?? [])
            .filter(({ type }) => type === 'InternalIP')
            .map(({ address }) => address),
          controlPlane:
            'node-role.kubernetes.io/control-plane' in (metadata.labels ?? {}),
          kubeletVersion: (status?.nodeInfo?.kubeletVersion ?? '').replace(
            /^v/,
            '',
          ),
        };
      });
    },
    async kubeSystemUid() {
      const { metadata } = await get<{ metadata: { uid: string } }>(
        '/api/v1/namespaces/kube-system',
      );
      return metadata.uid;
    },
    async pendingSigningRequests() {
      const { items } = await get<{
        items: Array<{ status?: { conditions?: unknown[] } }>;
      }>('/apis/certificates.k8s.io/v1/certificatesigningrequests');
      return items.filter(
        ({ status }) => (status?.conditions ?? []).length === 0,
      ).length;
    },
    get,
    send,
    close: () => agent.destroy(),
  };
}
