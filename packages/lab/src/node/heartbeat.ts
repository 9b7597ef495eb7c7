import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { parse } from 'yaml';
import { kubeletVersion } from './installed';

/** The kubelet's own figures: leases of 40 s, renewed every quarter of it. */
const LEASE_SECONDS = 40;
const RENEW_MS = 10_000;
const RETRY_MS = 1000;
/** A status in which nothing changed is reported this rarely. */
const REPORT_MS = 300_000;
const TIMEOUT_MS = 5000;

interface Reply {
  status: number;
  body: any;
}

/** What keeps the machine's Node and its Lease. */
export interface Heartbeat {
  /** Whether the API server has taken the state of this kubelet once. */
  reported(): boolean;
  /** Has it beat now rather than when it is due, as a kubelet that starts does. */
  wake(): void;
}

/** Speaks through the front, with the credentials of the kubelet's kubelet.conf, while the kubelet runs. */
export function startHeartbeat(
  nodeName: string,
  address: string,
  kubeletRuns: () => boolean,
): Heartbeat {
  let reported = false;
  let reportedAt = 0;
  let timer: NodeJS.Timeout | undefined;
  let woken = false;
  const beat = async () => {
    timer = undefined;
    woken = false;
    let delay = RETRY_MS;
    if (!kubeletRuns()) {
      reportedAt = 0;
    } else {
      try {
        const due = Date.now() - reportedAt > REPORT_MS;
        if (await keepNode(nodeName, address, due)) reportedAt = Date.now();
        reported = true;
        await keepLease(nodeName);
        delay = RENEW_MS;
      } catch {
        // The API is away: the next one comes soon.
      }
    }
    timer = setTimeout(beat, woken ? 0 : delay);
  };
  beat();
  return {
    reported: () => reported,
    wake: () => {
      woken = true;
      if (!timer) return;
      clearTimeout(timer);
      beat();
    },
  };
}

/** Tells whether the status was reported, which happens when it is due or is not what it should be. */
async function keepNode(
  nodeName: string,
  address: string,
  due: boolean,
): Promise<boolean> {
  const path = `/api/v1/nodes/${nodeName}`;
  let found = await ask('GET', path);
  if (found.status === 404) {
    found = await ask('POST', '/api/v1/nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: nodeName,
        labels: {
          'kubernetes.io/arch': 'amd64',
          'kubernetes.io/hostname': nodeName,
          'kubernetes.io/os': 'linux',
        },
      },
      spec: {},
    });
  }
  if (found.status >= 300) throw refused('the Node', found);
  const node = found.body;
  const now = timestamp();
  const before = node.status?.conditions?.find(
    (condition: any) => condition.type === 'Ready',
  );
  const version = kubeletVersion();
  const isTold = node.status?.nodeInfo?.kubeletVersion === version;
  if (before?.status === 'True' && isTold && !due) return false;
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'KubeletReady',
    message: 'kubelet is posting ready status',
    lastHeartbeatTime: now,
    lastTransitionTime:
      before?.status === 'True' ? before.lastTransitionTime ?? now : now,
  };
  const pressures = ['Memory', 'Disk', 'PID'].map(kind => ({
    type: `${kind}Pressure`,
    status: 'False',
    reason: `KubeletHas${kind === 'Disk' ? 'No' : 'Sufficient'}${kind}${
      kind === 'Disk' ? 'Pressure' : ''
    }`,
    message: '',
    lastHeartbeatTime: now,
    lastTransitionTime: before?.lastTransitionTime ?? now,
  }));
  const reply = await ask('PUT', `${path}/status`, {
    ...node,
    apiVersion: 'v1',
    kind: 'Node',
    status: {
      ...node.status,
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: nodeName },
      ],
      conditions: [...pressures, ready],
      nodeInfo: {
        architecture: 'amd64',
        containerRuntimeVersion: 'containerd://1.7.24',
        kubeletVersion: version,
        operatingSystem: 'linux',
      },
    },
  });
  if (reply.status >= 300) throw refused('the status of the Node', reply);
  return true;
}

async function keepLease(nodeName: string): Promise<void> {
  const leases =
    '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
  const found = await ask('GET', `${leases}/${nodeName}`);
  const spec = {
    holderIdentity: nodeName,
    leaseDurationSeconds: LEASE_SECONDS,
    renewTime: new Date().toISOString().replace('Z', '000Z'),
  };
  const reply =
    found.status === 404
      ? await ask('POST', leases, {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { name: nodeName, namespace: 'kube-node-lease' },
          spec,
        })
      : await ask('PUT', `${leases}/${nodeName}`, {
          ...found.body,
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          spec,
        });
  if (reply.status >= 300) throw refused('the Lease', reply);
}

function refused(what: string, reply: Reply): Error {
  return new Error(`${what} was not taken: HTTP ${reply.status}`);
}

function timestamp(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}

let connections: { key: string; agent: Agent } | undefined;

/** One connection is kept, as a kubelet does, and made anew when kubelet.conf or its certificate changes. */
function connection(): { agent: Agent; server: string } {
  const config = parse(readFileSync('/etc/kubernetes/kubelet.conf', 'utf8'));
  const cluster = config.clusters[0].cluster;
  const user = config.users[0].user;
  const cert = readFileSync(user['client-certificate'], 'utf8');
  const keyText = readFileSync(user['client-key'], 'utf8');
  const ca = Buffer.from(cluster['certificate-authority-data'], 'base64');
  const key = `${cluster.server}\n${cert}\n${ca}`;
  if (connections?.key !== key) {
    connections?.agent.destroy();
    connections = {
      key,
      agent: new Agent({
        keepAlive: true,
        maxSockets: 1,
        ca,
        cert,
        key: keyText,
      }),
    };
  }
  return { agent: connections.agent, server: cluster.server };
}

function ask(method: string, path: string, body?: unknown): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { agent, server } = connection();
    const asking = request(
      server + path,
      {
        method,
        agent,
        timeout: TIMEOUT_MS,
        headers: {
          'User-Agent': 'kubelet/lab',
          Accept: 'application/json',
          ...(body ? { 'Content-Type': 'application/json' } : {}),
        },
      },
      response => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', chunk => {
          text += chunk;
        });
        response.on('error', reject);
        response.on('end', () => {
          try {
            resolve({
              status: response.statusCode ?? 500,
              body: JSON.parse(text || '{}'),
            });
          } catch (error) {
            reject(error);
          }
        });
      },
    );
    asking.on('timeout', () => asking.destroy(new Error('timed out')));
    asking.on('error', reject);
    asking.end(body ? JSON.stringify(body) : undefined);
  });
}
