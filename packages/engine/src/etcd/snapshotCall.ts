import { EventEmitter } from 'node:events';
import {
  ClientHttp2Session,
  ClientHttp2Stream,
  connect as connectHttp2,
  constants,
  IncomingHttpHeaders,
} from 'node:http2';
import { isIP } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { MemberCredentials } from './clientCertificate';
import { SnapshotPart, SnapshotParts } from './snapshotParts';

const METHOD = '/etcdserverpb.Maintenance/Snapshot';
/** No message follows this one, and it says nothing: a flag and a length, all zero. */
const EMPTY_REQUEST = Buffer.alloc(5);
/** A snapshot keeps a read transaction open, which keeps etcd from reusing pages. */
const DEADLINE = '6H';

/** A `Maintenance.Snapshot` call: `data` with a {@link SnapshotPart}, `end`, `status`, or `error`. */
export interface SnapshotCall extends EventEmitter {
  pause(): void;
  resume(): void;
  isPaused(): boolean;
  cancel(): void;
}

/**
 * Calls `Maintenance.Snapshot` over HTTP/2 itself, on a connection through the machine. All other calls are etcd3's;
 * for these gigabytes grpc-js, its messages and its local socket would take twice the processor time.
 */
export class Http2SnapshotCall extends EventEmitter implements SnapshotCall {
  private readonly session: ClientHttp2Session;
  private readonly request: ClientHttp2Stream;
  private readonly parts = new SnapshotParts();
  private status?: { code: number; details: string };
  private isOver = false;

  constructor(
    private readonly connection: Duplex,
    { serverName, ...credentials }: MemberCredentials,
    window: number,
  ) {
    super();
    const tls = connectTls({
      socket: connection,
      ca: credentials.rootCertificate,
      cert: credentials.certChain,
      key: credentials.privateKey,
      host: serverName,
      servername: isIP(serverName) ? undefined : serverName,
      ALPNProtocols: ['h2'],
    });
    const fail = (error: Error) => this.fail(error);
    // Over a stream that is no socket neither TLS nor HTTP/2 tells that the other side went away.
    const closed = () => tls.destroy(unavailable());
    connection.on('error', fail);
    connection.on('end', closed);
    connection.on('close', closed);
    tls.on('error', fail);

    this.session = connectHttp2(`https://${serverName}`, {
      createConnection: () => tls,
      settings: { enablePush: false, initialWindowSize: window },
    });
    this.session.on('error', fail);
    this.session.on('connect', session => session.setLocalWindowSize(window));
    this.request = this.session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: METHOD,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      [constants.HTTP2_HEADER_TE]: 'trailers',
      'grpc-timeout': DEADLINE,
    });
    this.request.on('error', fail);
    this.request.on('response', headers => this.takeHeaders(headers));
    this.request.on('trailers', trailers => this.takeStatus(trailers));
    this.request.on('data', (chunk: Buffer) => this.take(chunk));
    this.request.on('close', () => this.finish());
    this.request.end(EMPTY_REQUEST);
  }

  pause() {
    this.request.pause();
  }

  resume() {
    this.request.resume();
  }

  isPaused() {
    return this.request.isPaused();
  }

  cancel() {
    this.fail(new Error('1 CANCELLED: the call was cancelled'));
  }

  private takeHeaders(headers: IncomingHttpHeaders & { ':status'?: number }) {
    if (headers[':status'] !== 200) {
      this.fail(new Error(`HTTP status ${headers[':status']}`));
    }
    // A call that fails at once has its status here.
    this.takeStatus(headers);
  }

  private takeStatus(headers: IncomingHttpHeaders) {
    const { 'grpc-status': code, 'grpc-message': message } = headers;
    if (code !== undefined) {
      this.status = {
        code: Number(code),
        details: decoded(String(message ?? '')),
      };
    }
  }

  private take(chunk: Buffer) {
    if (this.isOver) {
      return;
    }
    try {
      for (const part of this.parts.of(chunk)) {
        this.emit('data', part);
      }
    } catch (error) {
      this.fail(error as Error);
    }
  }

  private finish() {
    if (this.isOver) {
      return;
    }
    if (!this.status || (this.status.code === 0 && this.parts.isInside())) {
      this.fail(unavailable());
    } else if (this.status.code !== 0) {
      const { code, details } = this.status;
      this.fail(new Error(`${code}: ${details}`));
    } else {
      this.close();
      this.emit('status', this.status);
      this.emit('end');
    }
  }

  private fail(error: Error) {
    if (!this.isOver) {
      this.close();
      this.emit('error', error);
    }
  }

  private close() {
    this.isOver = true;
    this.request.close(constants.NGHTTP2_CANCEL);
    this.session.destroy();
    this.connection.destroy();
  }
}

/** In gRPC's words, as its own library would tell it. */
function unavailable(): Error {
  return new Error('14 UNAVAILABLE: the connection was closed');
}

function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
