import { createVerify, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, Server } from 'node:http';
import { AddressInfo } from 'node:net';
import {
  clusterResource,
  gdcAccess,
  secret,
  sshKeySecret,
} from './__testUtils__/gdcObjects';
import { askAboutGcpKeys } from './gcpKeys';
import { KubernetesObject } from './GdcCluster';
import { gdcClusterOf } from './gdcClusterOf';

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
});
const keyOf = (account: string) =>
  JSON.stringify({
    type: 'service_account',
    client_email: account,
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    token_uri: 'http://127.0.0.1:1/never-asked',
  });

let issuer: Server;
let url: string;
const seen: string[] = [];
beforeAll(async () => {
  issuer = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const [header, payload, signature] = form.get('assertion')!.split('.');
    const isSigned = createVerify('sha256')
      .update(`${header}.${payload}`)
      .verify(publicKey, signature, 'base64url');
    const { iss, aud, exp } = JSON.parse(
      Buffer.from(payload, 'base64url').toString(),
    );
    seen.push(iss);
    const isGood = isSigned && aud === url && exp * 1000 > Date.now();
    const status = { 'revoked@x': 400, 'broken@x': 503 }[iss as string];
    response.statusCode = isGood ? status ?? 200 : 500;
    response.end(
      JSON.stringify(
        status === 400
          ? {
              error: 'invalid_grant',
              error_description: 'Invalid JWT Signature.',
            }
          : { access_token: 'never to be seen' },
      ),
    );
  }).listen(0, '127.0.0.1');
  await once(issuer, 'listening');
  url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/token`;
});
afterAll(() => issuer.close());

const ask = (objects: KubernetesObject[], gcpTokenUrl = url) =>
  askAboutGcpKeys(
    gdcClusterOf(gdcAccess({ gcpTokenUrl }), [
      clusterResource(),
      sshKeySecret,
      ...objects,
    ]),
    new AbortController().signal,
  );
const named = (name: string, data: Record<string, string>) =>
  secret('anthos-creds', name, data);

it('asks the configured issuer with each key, wherever it stands in its Secret', async () => {
  const registry = {
    auths: {
      'gcr.io': { username: '_json_key', password: keyOf('registry@x') },
    },
  };
  expect(
    await ask([
      named('gke-connect', { 'creds-gcp.json': keyOf('connect@x') }),
      named('gke-register', { 'creds-gcp.json': keyOf('revoked@x') }),
      named('google-cloud-credentials', {
        'credentials.json': keyOf('broken@x'),
      }),
      named('private-registry-creds', {
        '.dockerconfigjson': JSON.stringify(registry),
      }),
    ]),
  ).toEqual([
    {
      secret: 'anthos-creds/gke-connect',
      account: 'connect@x',
      answer: 'accepted',
    },
    {
      secret: 'anthos-creds/gke-register',
      account: 'revoked@x',
      answer: 'refused',
      why: 'Invalid JWT Signature.',
    },
    {
      secret: 'anthos-creds/google-cloud-credentials',
      account: 'broken@x',
      answer: 'unasked',
      why: 'HTTP 503',
    },
    {
      secret: 'anthos-creds/private-registry-creds',
      account: 'registry@x',
      answer: 'accepted',
    },
  ]);
  expect(seen.sort()).toEqual([
    'broken@x',
    'connect@x',
    'registry@x',
    'revoked@x',
  ]);
});

it('tells a Secret that is missing, one without a key, a key that is none, and an issuer that is silent', async () => {
  const encoded = Buffer.from(`_json_key:${keyOf('auth@x')}`).toString(
    'base64',
  );
  const answers = await ask(
    [
      named('gke-connect', { 'creds-gcp.json': '{}' }),
      named('google-cloud-credentials', {
        'credentials.json': JSON.stringify({
          client_email: 'a',
          private_key: 'b',
        }),
      }),
      named('private-registry-creds', {
        '.dockerconfigjson': JSON.stringify({
          auths: { 'gcr.io': { auth: encoded } },
        }),
      }),
    ],
    'http://127.0.0.1:1/token',
  );
  expect(answers).toEqual([
    { secret: 'anthos-creds/gke-connect', answer: 'unreadable' },
    { secret: 'anthos-creds/gke-register', answer: 'missing' },
    expect.objectContaining({ answer: 'unreadable' }),
    expect.objectContaining({
      account: 'auth@x',
      answer: 'unasked',
      why: expect.any(String),
    }),
  ]);
});
