import { AddressInfo, connect, createServer, Server, Socket } from 'node:net';
import { LinkState } from '../protocol';
import { relay, Relayed } from './relay';

/**
 * The way from this machine into one node's sshd: a port on a loopback address. While nothing is to be hindered
 * the accepted socket itself is handed to sshd, so that its bytes pass no process of the lab.
 */
export class Link {
  private outside?: Server;
  private direct?: Server;
  private readonly relays = new Set<Relayed>();
  private readonly accepted = new Set<Socket>();
  private state: LinkState = { mode: 'open' };

  /**
   * @param address - Of this machine's loopback network.
   * @param port - 0 for one that is free; it is kept once it is known.
   * @param handOver - Takes a paused socket and gives it to sshd.
   * @param relayed - Whether connections always pass the relay, so that a later change reaches those already open.
   */
  constructor(
    readonly address: string,
    public port: number,
    private readonly handOver: (socket: Socket) => void,
    private readonly relayed: boolean,
  ) {}

  async open(): Promise<void> {
    this.outside = await listen(this.address, this.port, socket =>
      this.accept(socket),
    );
    this.port = (this.outside.address() as AddressInfo).port;
  }

  /** Refuses new connections. */
  close(): void {
    this.outside?.close();
    this.outside = undefined;
  }

  async set(state: LinkState): Promise<void> {
    this.state = state;
    if (state.mode === 'cut') {
      this.close();
      for (const one of this.relays) one.reset();
      for (const socket of this.accepted) socket.resetAndDestroy();
      return;
    }
    for (const one of this.relays) one.set(state);
    if (!this.outside) await this.open();
  }

  private async accept(socket: Socket): Promise<void> {
    const { mode, rttMs, bytesPerSecond } = this.state;
    const hindered = mode !== 'open' || rttMs || bytesPerSecond;
    if (!this.relayed && !hindered) {
      this.handOver(socket);
      return;
    }
    this.accepted.add(socket);
    socket.on('close', () => this.accepted.delete(socket));
    socket.on('error', () => {});
    // A second hop over TCP: sshd must find a TCP socket, whose delays are those of a real one.
    this.direct ??= await listen('127.0.0.1', 0, inner => this.handOver(inner));
    const inner = connect(
      (this.direct.address() as AddressInfo).port,
      '127.0.0.1',
    );
    const one = relay(socket, inner, this.state);
    this.relays.add(one);
    one.closed.then(() => this.relays.delete(one));
  }
}

function listen(
  address: string,
  port: number,
  accept: (socket: Socket) => void,
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ pauseOnConnect: true }, accept);
    server.on('error', reject);
    server.listen(port, address, () => resolve(server));
  });
}
