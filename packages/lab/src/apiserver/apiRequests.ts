import { once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { apiVersion, Kind } from './kinds';
import { readPatch } from './patch';
import { Registry } from './registry';
import { readTarget } from './requestTarget';
import { selectionOf } from './selectors';
import {
  asStatusError,
  badRequest,
  conflict,
  invalid,
  StatusError,
} from './status';
import { KubernetesObject } from './storedObject';

const largestBody = 3 << 20;

/** As the real one: a watch without timeoutSeconds ends after 30 to 60 minutes. */
const shortestWatchSeconds = 1_800;

const bookmarkIntervalMs = 10_000;

export function sendJson(
  response: ServerResponse,
  code: number,
  value: unknown,
) {
  const body = JSON.stringify(value);
  response
    .writeHead(code, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    })
    .end(body);
}

async function readBody(request: IncomingMessage): Promise<any> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > largestBody) {
      throw new StatusError(
        413,
        'RequestEntityTooLarge',
        `Request entity too large: limit is ${largestBody}`,
      );
    }
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch (error) {
    throw badRequest(`the body is not JSON: ${(error as Error).message}`);
  }
}

async function readObject(
  request: IncomingMessage,
  kind: Kind,
): Promise<KubernetesObject> {
  const type = (request.headers['content-type'] ?? 'application/json')
    .split(';')[0]
    .trim();
  if (type !== 'application/json') {
    throw new StatusError(
      415,
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json',
    );
  }
  const object = await readBody(request);
  if (typeof object !== 'object' || object === null) {
    throw badRequest('the request has no body');
  }
  if (
    (object.kind ?? kind.kind) !== kind.kind ||
    (object.apiVersion ?? apiVersion(kind)) !== apiVersion(kind)
  ) {
    throw badRequest(
      `${object.apiVersion}, Kind=${
        object.kind
      } in the body is not ${apiVersion(kind)}, Kind=${kind.kind} of the URL`,
    );
  }
  object.metadata ??= {};
  if (kind.plural === 'secrets' && object.stringData) {
    const { stringData, ...secret } = object;
    secret.data = { ...secret.data };
    for (const [name, text] of Object.entries<string>(stringData)) {
      secret.data[name] = Buffer.from(text).toString('base64');
    }
    return secret;
  }
  return object;
}

function revisionOf(query: URLSearchParams): number | undefined {
  const text = query.get('resourceVersion') ?? '';
  if (text === '') return undefined;
  if (!/^\d+$/.test(text)) {
    throw invalid(`resourceVersion: Invalid value: "${text}"`);
  }
  return Number(text);
}

async function write(response: ServerResponse, text: string) {
  if (response.destroyed) throw new Error('the client went away');
  if (!response.write(text)) {
    await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
}

/** The revision that a list must be read at; undefined for the newest. */
async function listRevision(
  registry: Registry,
  kind: Kind,
  query: URLSearchParams,
) {
  const revision = revisionOf(query);
  const match = query.get('resourceVersionMatch');
  if (match === 'Exact') return revision;
  if (revision) {
    // "not older than": what is newest serves, unless the revision is ahead of it
    const newest = await registry.page(kind, '', { limit: 1 });
    if (newest.revision < revision) return revision;
  }
  return undefined;
}

async function list(
  registry: Registry,
  kind: Kind,
  namespace: string,
  query: URLSearchParams,
  response: ServerResponse,
) {
  const selects = selectionOf(query);
  const limit = Number(query.get('limit') ?? 0);
  const head = { kind: `${kind.kind}List`, apiVersion: apiVersion(kind) };
  const continueToken = query.get('continue') ?? undefined;
  if (limit > 0 || continueToken) {
    const page = await registry.page(kind, namespace, {
      limit: limit || Number.MAX_SAFE_INTEGER,
      continueToken,
      revision: await listRevision(registry, kind, query),
      selects,
    });
    sendJson(response, 200, {
      ...head,
      metadata: {
        resourceVersion: String(page.revision),
        ...(page.continue && { continue: page.continue }),
        ...(page.remaining && { remainingItemCount: page.remaining }),
      },
      items: page.objects,
    });
    return;
  }
  const found = await registry.list(
    kind,
    namespace,
    await listRevision(registry, kind, query),
  );
  response.writeHead(200, { 'content-type': 'application/json' });
  const metadata = { resourceVersion: String(found.revision) };
  let text = `${JSON.stringify({ ...head, metadata }).slice(0, -1)},"items":[`;
  let separator = '';
  for await (const object of found.objects) {
    if (selects && !selects(object)) continue;
    text += separator + JSON.stringify(object);
    separator = ',';
    if (text.length > 1 << 16) {
      await write(response, text);
      text = '';
    }
  }
  response.end(`${text}]}\n`);
}

async function watch(
  registry: Registry,
  kind: Kind,
  namespace: string,
  query: URLSearchParams,
  response: ServerResponse,
) {
  const selects = selectionOf(query);
  const seconds =
    Number(query.get('timeoutSeconds') ?? 0) ||
    shortestWatchSeconds * (1 + Math.random());
  const asked = revisionOf(query);
  // without a revision, or with "0", a watch begins with what is there
  const listing = asked ? undefined : await registry.list(kind, namespace);
  const watching = await registry.watch(
    kind,
    namespace,
    listing?.revision ?? asked ?? 0,
    selects,
  );
  const timers: NodeJS.Timeout[] = [];
  response.on('close', watching.cancel);
  try {
    if (response.destroyed) return;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const send = (event: { type: string; object: object }) =>
      write(response, `${JSON.stringify(event)}\n`);
    timers.push(setTimeout(watching.cancel, seconds * 1000));
    if (query.get('allowWatchBookmarks') === 'true') {
      timers.push(setInterval(watching.requestBookmark, bookmarkIntervalMs));
    }
    try {
      for await (const object of listing?.objects ?? []) {
        if (!selects || selects(object)) await send({ type: 'ADDED', object });
      }
      for await (const event of watching.events) await send(event);
    } catch (error) {
      // A lost etcd or a client that left end the watch without a word, as a
      // dropped connection does; the client comes back with its last revision.
      if (error instanceof StatusError && !response.destroyed) {
        await send({ type: 'ERROR', object: error.toStatus() });
      }
    }
  } finally {
    timers.forEach(clearTimeout);
    response.off('close', watching.cancel);
    watching.cancel();
    response.end();
  }
}

async function removeAll(
  registry: Registry,
  kind: Kind,
  namespace: string,
  query: URLSearchParams,
) {
  const selects = selectionOf(query);
  const found = await registry.list(kind, namespace);
  for await (const object of found.objects) {
    if (selects && !selects(object)) continue;
    const { name, namespace: home = '' } = object.metadata;
    await registry.remove(kind, home, name).catch(error => {
      if (asStatusError(error).code !== 404) throw error;
    });
  }
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' };
}

/** Answers one request below /api or /apis; failures are thrown as StatusError. */
export async function answerApiRequest(
  registry: Registry,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
) {
  const { kind, namespace, name, status } = readTarget(path);
  const dryRun = query.has('dryRun');
  const isWatch = ['true', '1'].includes(query.get('watch') ?? '');
  const subresource = status ? 'status' : undefined;

  if (dryRun && request.method !== 'GET') {
    throw badRequest('the lab has no dry run');
  }
  if (name === '') {
    switch (request.method) {
      case 'GET':
        return isWatch
          ? watch(registry, kind, namespace, query, response)
          : list(registry, kind, namespace, query, response);
      case 'POST': {
        const object = await readObject(request, kind);
        if (kind.namespaced && namespace === '') break;
        if ((object.metadata.namespace ?? namespace) !== namespace) {
          throw badRequest(
            'the namespace of the provided object does not match the namespace sent on the request',
          );
        }
        return sendJson(
          response,
          201,
          await registry.create(kind, namespace, object),
        );
      }
      case 'DELETE':
        return sendJson(
          response,
          200,
          await removeAll(registry, kind, namespace, query),
        );
      default:
        break;
    }
  } else {
    switch (request.method) {
      case 'GET':
        if (isWatch) {
          query.set('fieldSelector', `metadata.name=${name}`);
          return watch(registry, kind, namespace, query, response);
        }
        return sendJson(
          response,
          200,
          await registry.get(kind, namespace, name),
        );
      case 'PUT': {
        const object = await readObject(request, kind);
        return sendJson(
          response,
          200,
          await registry.update(
            kind,
            namespace,
            name,
            () => structuredClone(object),
            subresource,
          ),
        );
      }
      case 'PATCH': {
        const type = (request.headers['content-type'] ?? '').split(';')[0];
        const patch = readPatch(type.trim(), await readBody(request));
        const seen = new Set<string>();
        return sendJson(
          response,
          200,
          await registry.update(
            kind,
            namespace,
            name,
            current => {
              const revision = current.metadata.resourceVersion ?? '';
              if (seen.size > 100) throw conflict(kind, name);
              seen.add(revision);
              const patched = patch(current);
              // only a revision that the patch itself names is a condition
              if (patched.metadata.resourceVersion === revision) {
                delete patched.metadata.resourceVersion;
              }
              return patched;
            },
            subresource,
          ),
        );
      }
      case 'DELETE': {
        const options = await readBody(request);
        return sendJson(
          response,
          200,
          await registry.remove(
            kind,
            namespace,
            name,
            options?.preconditions ?? {},
          ),
        );
      }
      default:
        break;
    }
  }
  throw new StatusError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  );
}
