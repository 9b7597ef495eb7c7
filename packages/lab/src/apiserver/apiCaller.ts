import { Agent, request } from 'node:https';
import { ApiAccess } from './kubeconfig';

/** What the API answered. */
export interface ApiAnswer {
  code: number;
  body: any;
}

/** Asks the API for something and takes JSON. */
export type ApiCall = (
  method: string,
  path: string,
  body?: object,
) => Promise<ApiAnswer>;

/** Calls an API with a client certificate, over one connection that is kept until it is closed. */
export function apiCaller(access: ApiAccess): {
  call: ApiCall;
  close(): void;
} {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    ca: access.ca,
    cert: access.certificate,
    key: access.key,
  });
  const ask: ApiCall = (method, path, body) =>
    new Promise((resolve, reject) => {
      const call = request(
        new URL(path, access.server),
        {
          method,
          agent,
          headers: { 'content-type': 'application/json' },
          signal: AbortSignal.timeout(5_000),
        },
        response => {
          const chunks: Buffer[] = [];
          response.on('data', chunk => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            try {
              resolve({
                code: response.statusCode ?? 0,
                body: JSON.parse(Buffer.concat(chunks).toString()),
              });
            } catch (error) {
              reject(error);
            }
          });
        },
      );
      call.on('error', reject);
      call.end(body && JSON.stringify(body));
    });
  return { call: ask, close: () => agent.destroy() };
}
