import { once } from 'node:events';
import {
  createServer,
  IncomingMessage,
  request,
  Server,
  ServerResponse,
} from 'node:http';
import { AddressInfo } from 'node:net';

/** What becomes of a request on its way. */
export type Trouble =
  /** So many bytes of it, or of its answer, pass; then the connection is cut. Of 0 not even a header does. */
  | { cut: 'request' | 'answer'; after: number }
  /** So many bytes of its answer pass; then nothing does. */
  | { stallAfter: number }
  /** So many bytes of its answer pass, and look like all of it. */
  | { shortenTo: number }
  /** It never arrives, and nobody answers. */
  | { swallowed: true }
  /** It never arrives, and somebody else answers. */
  | { answer: { status: number; headers?: object; body?: string } };

interface AnyTrouble {
  cut: 'request' | 'answer';
  after: number;
  stallAfter: number;
  shortenTo: number;
  swallowed: true;
  answer: { status: number; headers?: object; body?: string };
}

/** A way to a server on which things happen, on loopback. */
export class HostileNetwork {
  /** Asked about every request. */
  trouble: (request: IncomingMessage) => Trouble | undefined = () => undefined;
  /** Requests that came, as `PUT /bucket/key?query`. */
  readonly requests: string[] = [];
  /** Bytes of requests that were passed on. */
  passedOn = 0;
  /** Bytes of answers that were passed back. */
  passedBack = 0;

  static async before(target: string): Promise<HostileNetwork> {
    const server = createServer();
    const network = new HostileNetwork(server, new URL(target));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return network;
  }

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {
    server.on('request', (asked, answer) => this.pass(asked, answer));
    server.on('checkContinue', (asked, answer) => {
      answer.writeContinue();
      this.pass(asked, answer);
    });
  }

  get endpoint(): string {
    const { port } = this.server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private pass(asked: IncomingMessage, answer: ServerResponse) {
    this.requests.push(`${asked.method} ${asked.url}`);
    asked.on('error', () => {});
    const trouble: Partial<AnyTrouble> = this.trouble(asked) ?? {};
    if (trouble.swallowed) return;
    if (trouble.answer) {
      const { status, headers, body = '' } = trouble.answer;
      asked.resume().on('end', () => {
        answer.writeHead(status, { ...headers }).end(body);
      });
      return;
    }
    // Signatures cover the host as the client knows it.
    const { expect, ...headers } = asked.headers;
    const onward = request(this.target, {
      method: asked.method,
      path: asked.url,
      headers,
      setHost: false,
    });
    const cutAll = () => {
      onward.destroy();
      asked.socket.destroy();
    };
    onward.on('error', cutAll);
    answer.on('close', () => onward.destroy());

    const cutRequest = trouble.cut === 'request';
    let sent = 0;
    asked.on('data', (chunk: Buffer) => {
      sent += chunk.length;
      this.passedOn += chunk.length;
      if (cutRequest && sent > trouble.after!) cutAll();
      else if (!onward.write(chunk)) asked.pause();
    });
    onward.on('drain', () => asked.resume());
    asked.on('end', () => (cutRequest ? cutAll() : onward.end()));

    onward.on('response', answered => {
      const limit = limitOf(trouble);
      let received = 0;
      const endEarly = () => {
        answered.removeAllListeners('data').resume();
        if (trouble.cut) cutAll();
        if (trouble.shortenTo) answer.end();
      };
      answered.on('end', () => {
        if (limit === Infinity) answer.end();
      });
      if (limit === 0) {
        endEarly();
        return;
      }
      const { 'content-length': length, ...others } = answered.headers;
      answer.writeHead(
        answered.statusCode!,
        trouble.shortenTo ? others : answered.headers,
      );
      answer.flushHeaders();
      answered.on('data', (chunk: Buffer) => {
        const isMore = answer.write(chunk.subarray(0, limit - received));
        received += chunk.length;
        this.passedBack += chunk.length;
        if (received >= limit) endEarly();
        else if (!isMore) answered.pause();
      });
      answer.on('drain', () => answered.resume());
    });
  }
}

function limitOf({ cut, after, stallAfter, shortenTo }: Partial<AnyTrouble>) {
  return (cut === 'answer' ? after : stallAfter ?? shortenTo) ?? Infinity;
}
