import { readFileSync } from 'node:fs';
import { Server } from 'node:http';
import { resolvePackagePath } from '@backstage/backend-plugin-api';
import Ajv2020 from 'ajv/dist/2020';
import request, { Response } from 'supertest';
import { parse } from 'yaml';

const SPEC = parse(
  readFileSync(
    resolvePackagePath(
      '@cluster-backup/backstage-plugin-cluster-backup-backend',
      'src/schema/openapi.yaml',
    ),
    'utf8',
  ),
);
const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema(SPEC, 'spec');

/** Calls the plugin, and holds every request and answer against openapi.yaml. */
export function describedApi(server: Server) {
  return async function call(
    method: 'get' | 'post' | 'put' | 'delete',
    path: string,
    options: { body?: object; authorization?: string } = {},
  ): Promise<Response> {
    const { body, authorization } = options;
    let sent = request(server)[method](`/api/cluster-backup${path}`);
    if (authorization !== undefined) {
      sent = sent.set('Authorization', authorization);
    }
    const response = await (body ? sent.send(body) : sent);
    const operation = operationAt(method, path);
    if (response.status !== 400) refuseRequest(operation, path, body);
    refuseResponse(operation, response);
    return response;
  };
}

function operationAt(method: string, path: string) {
  const [pathname] = path.split('?');
  const parts = pathname.split('/');
  const found = Object.entries<any>(SPEC.paths).find(([described]) => {
    const names = described.split('/');
    return (
      names.length === parts.length &&
      names.every((name, i) => name.startsWith('{') || name === parts[i])
    );
  });
  const operation = found?.[1][method];
  if (!operation) throw new Error(`openapi.yaml has no ${method} ${path}`);
  return operation;
}

function refuseRequest(operation: any, path: string, body: unknown) {
  const described = operation.requestBody;
  if (described) {
    refuse('request', described.content['application/json'].schema, body);
  } else if (body) {
    throw new Error(`${operation.operationId} is described without a body`);
  }
  const query = new URLSearchParams(path.split('?')[1]);
  const parameters = (operation.parameters ?? []).map(resolved);
  for (const [name, text] of query) {
    const parameter = parameters.find(
      (p: any) => p.in === 'query' && p.name === name,
    );
    if (!parameter) {
      throw new Error(`${operation.operationId} has no parameter ${name}`);
    }
    const isNumber = parameter.schema.type === 'integer';
    refuse(`parameter ${name}`, parameter.schema, isNumber ? +text : text);
  }
}

function refuseResponse(operation: any, response: Response) {
  const what = `${operation.operationId} ${response.status}`;
  const described = operation.responses[response.status];
  if (!described) {
    throw new Error(`${what} is not described: ${response.text}`);
  }
  const content = resolved(described).content[response.type];
  if (!content) throw new Error(`${what} is not described as ${response.type}`);
  const isText = response.type.startsWith('text/');
  const body = isText ? response.text : response.body;
  if (content.schema) refuse(what, content.schema, body);
}

function refuse(what: string, schema: any, value: unknown) {
  const described = schema.$ref ? { $ref: `spec${schema.$ref}` } : schema;
  if (ajv.validate(described, value)) return;
  throw new Error(
    `${what} is not as openapi.yaml says: ${ajv.errorsText()} in ${JSON.stringify(
      value,
    )}`,
  );
}

function resolved(item: any): any {
  if (!item.$ref) return item;
  return item.$ref
    .slice(2)
    .split('/')
    .reduce((at: any, part: string) => at[part], SPEC);
}
