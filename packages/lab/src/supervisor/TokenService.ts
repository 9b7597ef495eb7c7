import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { once } from 'node:events';
import { createServer, IncomingMessage, Server } from 'node:http';
import { AddressInfo } from 'node:net';
import { ServiceAccountKey } from '../gdc/serviceAccounts';

const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const LARGEST_REQUEST = 64 * 1024;
const TOKEN_SECONDS = 3599;
/** What clocks may differ by, and how long an assertion may be good for. */
const LEEWAY_SECONDS = 300;
const LONGEST_SECONDS = 3600;

interface Answer {
  status: number;
  body: object;
}

/** Stands in for Google's token service: gives tokens to who signs with a key that it knows (RFC 7523). */
export class TokenService {
  private server?: Server;
  private port = 0;
  private readonly revoked = new Set<string>();
  private keys: Record<string, ServiceAccountKey> = {};

  get url(): string {
    return `http://127.0.0.1:${this.port}/token`;
  }

  async start(): Promise<void> {
    if (this.server) return;
    const server = createServer((request, response) => {
      this.answer(request).then(
        ({ status, body }) =>
          response
            .writeHead(status, { 'content-type': 'application/json' })
            .end(JSON.stringify(body)),
        () => response.destroy(),
      );
    });
    this.server = server;
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const { server } = this;
    if (!server) return;
    this.server = undefined;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  /** @param keys - by the name of their Secret */
  trust(keys: Record<string, ServiceAccountKey>): void {
    this.keys = keys;
  }

  revoke(secret: string): void {
    this.revoked.add(this.keyOf(secret).private_key_id);
  }

  restore(secret: string): void {
    this.revoked.delete(this.keyOf(secret).private_key_id);
  }

  private keyOf(secret: string): ServiceAccountKey {
    const key = this.keys[secret];
    if (!key) throw new Error(`No Secret ${secret} holds a key.`);
    return key;
  }

  private async answer(request: IncomingMessage): Promise<Answer> {
    if (request.method !== 'POST' || request.url !== '/token') {
      return { status: 404, body: { error: 'not_found' } };
    }
    const form = new URLSearchParams(await textOf(request));
    if (form.get('grant_type') !== GRANT) {
      return refusal('unsupported_grant_type', 'Invalid grant_type');
    }
    return this.judge(form.get('assertion') ?? '');
  }

  private judge(assertion: string): Answer {
    const [head, payload, signature] = assertion.split('.');
    let header;
    let claims;
    try {
      header = JSON.parse(Buffer.from(head, 'base64url').toString());
      claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    } catch {
      return refusal('invalid_grant', 'Bad Request');
    }
    const key = Object.values(this.keys).find(
      ({ client_email }) => client_email === claims.iss,
    );
    if (!key) {
      const body = {
        error: 'invalid_client',
        error_description: 'The OAuth client was not found.',
      };
      return { status: 401, body };
    }
    const isSigned =
      header.alg === 'RS256' &&
      (header.kid ?? key.private_key_id) === key.private_key_id &&
      !this.revoked.has(key.private_key_id) &&
      verify(
        'sha256',
        Buffer.from(`${head}.${payload}`),
        createPublicKey(key.private_key),
        Buffer.from(signature ?? '', 'base64url'),
      );
    if (!isSigned) return refusal('invalid_grant', 'Invalid JWT Signature.');
    if (claims.aud !== this.url) {
      return refusal(
        'invalid_grant',
        'Invalid JWT: Failed audience check. The right audience is the URL of this service.',
      );
    }
    const now = Date.now() / 1000;
    const isTimely =
      claims.exp > now &&
      claims.iat <= now + LEEWAY_SECONDS &&
      claims.exp - claims.iat <= LONGEST_SECONDS;
    if (!isTimely) {
      return refusal(
        'invalid_grant',
        'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.',
      );
    }
    return {
      status: 200,
      body: {
        access_token: `ya29.c.${randomBytes(24).toString('base64url')}`,
        expires_in: TOKEN_SECONDS,
        token_type: 'Bearer',
      },
    };
  }
}

function refusal(error: string, description: string): Answer {
  return { status: 400, body: { error, error_description: description } };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > LARGEST_REQUEST) request.destroy();
  }
  return text;
}
