import { stringify } from 'yaml';
import { readKubeconfig } from './kubeconfig';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const cluster = {
  server: 'https://192.0.2.1:6443',
  'certificate-authority-data': base64('the authority'),
};
const user = {
  'client-certificate-data': base64('the certificate'),
  'client-key-data': base64('the secret key'),
};

function kubeconfig(more: {
  cluster?: object;
  user?: object;
  document?: object;
}): string {
  return stringify({
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { ...cluster, ...more.cluster } }],
    users: [
      { name: 'u', user: { ...user, ...more.user } },
      { name: 'other', user: { exec: { command: 'id' }, token: 'x' } },
    ],
    ...more.document,
  });
}

it('takes what a kubeconfig holds itself, whatever its other contexts have', () => {
  expect(readKubeconfig(kubeconfig({}), 'of lab')).toEqual({
    server: cluster.server,
    ca: 'the authority',
    cert: 'the certificate',
    key: 'the secret key',
  });
});

/** A thousand million laughs, in ten lines. */
const LAUGHS = [
  'a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]',
  ...Array.from(
    { length: 9 },
    (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(10)}]`,
  ),
].join('\n');

it.each<[string, string, string]>([
  ['exec', kubeconfig({ user: { exec: { command: 'id' } } }), 'exec'],
  [
    'auth-provider',
    kubeconfig({ user: { 'auth-provider': { name: 'gcp' } } }),
    'auth-provider',
  ],
  [
    'tokenFile',
    kubeconfig({ user: { tokenFile: '/etc/shadow' } }),
    'tokenFile',
  ],
  [
    'a key in a file',
    kubeconfig({ user: { 'client-key': '../../id_rsa' } }),
    'client-key',
  ],
  [
    'an authority in a file',
    kubeconfig({ cluster: { 'certificate-authority': '/etc/passwd' } }),
    'certificate-authority',
  ],
  [
    'a proxy',
    kubeconfig({ cluster: { 'proxy-url': 'http://192.0.2.66' } }),
    'proxy-url',
  ],
  [
    'trust in anybody',
    kubeconfig({ cluster: { 'insecure-skip-tls-verify': true } }),
    'insecure-skip-tls-verify',
  ],
  [
    'no TLS',
    kubeconfig({ cluster: { server: 'http://192.0.2.1' } }),
    'no server with https',
  ],
  [
    'a file for a server',
    kubeconfig({ cluster: { server: 'file:///etc/passwd' } }),
    'no server with https',
  ],
  [
    'a number for a list',
    kubeconfig({ document: { users: 5 } }),
    'users is no',
  ],
  [
    'nothing in a list',
    kubeconfig({ document: { contexts: [null] } }),
    'contexts[0] is no object',
  ],
  [
    'a number for a key',
    kubeconfig({ user: { 'client-key-data': 5 } }),
    'client-key-data is no text',
  ],
  ['aliases without end', LAUGHS, 'no valid YAML'],
  ['no end of depth', '['.repeat(200_000), 'no valid YAML'],
  ['nothing', '', 'it is no object'],
])('refuses one with %s', (_, text, why) => {
  expect(() => readKubeconfig(text, 'of lab')).toThrow(
    expect.objectContaining({
      code: 'kubeconfig-unreadable',
      message: expect.stringContaining(why),
    }),
  );
});

it('quotes no secret, whatever is wrong', () => {
  for (const text of [
    `${kubeconfig({})}\n  broken: [`,
    kubeconfig({ user: { exec: 'the secret key' } }),
    kubeconfig({ user: { 'client-key-data': ['the secret key'] } }),
  ]) {
    let told = '';
    try {
      readKubeconfig(text, 'of lab');
    } catch (error) {
      told = JSON.stringify([error, String(error), (error as Error).cause]);
    }
    expect(told).not.toBe('');
    expect(told).not.toContain('the secret key');
    expect(told).not.toContain(base64('the secret key'));
  }
});
