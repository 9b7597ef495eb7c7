import { connect } from 'node:net';
import { Container } from './runtime';

/** Where the agent listens inside a node. */
export const AGENT_SOCKET = '/run/lab/agent.sock';

export interface UnitState {
  name: string;
  description: string;
  active: boolean;
  enabled: boolean;
  mainPid: number;
  /** Milliseconds since 1970. */
  since: number;
}

/** What the agent answers: one JSON request a connection, one JSON reply. */
export interface AgentMethods {
  containers(): Container[];
  stopContainer(parameters: { id: string; graceSeconds: number }): void;
  removeContainer(parameters: { id: string }): void;
  images(): string[];
  unit(parameters: { name: string }): UnitState | null;
  startUnit(parameters: { name: string }): void;
  stopUnit(parameters: { name: string }): void;
  restartUnit(parameters: { name: string }): void;
  /** Whether each is ready on this node, and whether its kubelet has reported the node's state. */
  readiness(): {
    etcd: boolean;
    etcdEvents: boolean;
    apiServer: boolean;
    node: boolean;
  };
  /** Whether etcd has come so far that it answers its peers. */
  etcdServes(): boolean;
  etcdEventsServes(): boolean;
  raiseAlarm(parameters: {
    alarm: 'NOSPACE' | 'CORRUPT';
    /** Decimal. */
    memberId: string;
  }): void;
}

/** Asks an agent, through the socket at a path of the caller's file system. */
export function askAgent<M extends keyof AgentMethods>(
  socketPath: string,
  method: M,
  ...[parameters]: Parameters<AgentMethods[M]>
): Promise<ReturnType<AgentMethods[M]>> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let text = '';
    socket.setEncoding('utf8');
    socket.on('error', reject);
    socket.on('data', chunk => {
      text += chunk;
    });
    socket.on('end', () => {
      try {
        const reply = JSON.parse(text);
        if (reply.error) reject(new Error(reply.error));
        else resolve(reply.result);
      } catch (error) {
        reject(error);
      }
    });
    socket.end(`${JSON.stringify({ method, parameters })}`);
  });
}
