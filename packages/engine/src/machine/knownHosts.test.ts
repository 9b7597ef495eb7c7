import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  knownHostsName,
  lookUpKnownHosts,
  UnreadableRevocation,
} from './knownHosts';

const directory = mkdtempSync(join(tmpdir(), 'known-hosts-'));
afterAll(() => rmSync(directory, { recursive: true }));

function newKey(): string {
  const { x } = generateKeyPairSync('ed25519').publicKey.export({
    format: 'jwk',
  });
  const blob = Buffer.concat([
    Buffer.from([0, 0, 0, 11]),
    Buffer.from('ssh-ed25519'),
    Buffer.from([0, 0, 0, 32]),
    Buffer.from(x!, 'base64url'),
  ]);
  return `ssh-ed25519 ${blob.toString('base64')}`;
}

const keys = Array.from({ length: 8 }, newKey);

function found(text: string, name: string) {
  const { keys: plain, revoked } = lookUpKnownHosts(text, name);
  const line = ({ type, blob }: { type: string; blob: Buffer }) =>
    `${type} ${blob.toString('base64')}`;
  return { keys: plain.map(line), revoked: revoked.map(line) };
}

/** What `ssh-keygen -F` finds: its output repeats the lines, with a comment before each. */
function foundByOpenSsh(file: string, name: string) {
  const { stdout } = spawnSync('ssh-keygen', ['-F', name, '-f', file], {
    encoding: 'utf8',
  });
  const lines = stdout
    .split('\n')
    .map(line => line.trimStart())
    // It looks at names only, and finds lines whose key cannot be read.
    .filter(line => keys.some(key => line.includes(` ${key}`)));
  const keyOf = (line: string) => /ssh-ed25519 \S+/.exec(line)![0];
  return {
    keys: lines.filter(line => !line.startsWith('@')).map(keyOf),
    revoked: lines.filter(line => line.startsWith('@revoked')).map(keyOf),
  };
}

const label = fc.constantFrom('a', 'b', 'cp1', 'CP1', 'node-10', '10', '1');
const host = fc
  .array(label, { minLength: 1, maxLength: 3 })
  .map(labels => labels.join('.'));
const name = fc
  .tuple(host, fc.constantFrom(22, 2222))
  .map(([address, port]) => knownHostsName(address, port));
const pattern = fc
  .tuple(
    fc.constantFrom('', '', '!'),
    fc.oneof(
      name,
      fc
        .array(fc.oneof(label, fc.constantFrom('*', '?', '.')), {
          minLength: 1,
          maxLength: 4,
        })
        .map(parts => parts.join('')),
    ),
  )
  .map(parts => parts.join(''));
const entry = fc.record({
  marker: fc.constantFrom('', '', '', '@revoked ', '@cert-authority '),
  patterns: fc.array(pattern, { minLength: 1, maxLength: 3 }),
  key: fc.constantFrom(...keys),
  comment: fc.constantFrom('', ' root@cp1', ' # not a comment'),
  lead: fc.constantFrom('', ' ', '\t'),
});
const noise = fc.constantFrom(
  '',
  '# a comment',
  'cp1',
  'cp1 ssh-ed25519',
  'cp1 ssh-ed25519 AAAA',
  `cp1 ssh-rsa ${keys[0].split(' ')[1]}`,
  `@unheard-of cp1 ${keys[0]}`,
  'cp1 1024 35 1234567890',
);
const file = fc
  .array(
    fc.oneof({ weight: 4, arbitrary: entry }, { weight: 1, arbitrary: noise }),
    { maxLength: 6 },
  )
  .map(lines =>
    lines
      .map(line =>
        typeof line === 'string'
          ? line
          : `${line.lead}${line.marker}${line.patterns.join(',')} ${line.key}${
              line.comment
            }`,
      )
      .join('\n'),
  );

it('finds what ssh-keygen finds', () => {
  const path = join(directory, 'known_hosts');
  fc.assert(
    fc.property(file, name, (text, wanted) => {
      writeFileSync(path, `${text}\n`);
      expect(found(text, wanted)).toEqual(foundByOpenSsh(path, wanted));
    }),
    { numRuns: 150 },
  );
});

it('finds names that ssh-keygen has hashed', () => {
  const path = join(directory, 'hashed');
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), names => {
      const text = names
        .map((each, index) => `${each} ${keys[index]}`)
        .join('\n');
      writeFileSync(path, `${text}\n`);
      execFileSync('ssh-keygen', ['-H', '-f', path], { stdio: 'ignore' });
      const hashed = readFileSync(path, 'utf8');
      expect(hashed).toMatch(/^\|1\|/);
      for (const wanted of [...names, 'elsewhere']) {
        expect(found(hashed, wanted)).toEqual(found(text, wanted));
      }
    }),
    { numRuns: 15 },
  );
});

it('files a host under its lower-case name, and its port where that is not 22', () => {
  expect(knownHostsName('CP1.Example', 22)).toBe('cp1.example');
  expect(knownHostsName('10.0.0.1', 2222)).toBe('[10.0.0.1]:2222');
  expect(knownHostsName('fd00::1', 22)).toBe('fd00::1');
});

it('does not take a certificate authority for a host key, but says that there is one', () => {
  const known = lookUpKnownHosts(`@cert-authority * ${keys[0]}`, 'cp1');
  expect(known).toEqual({
    keys: [],
    revoked: [],
    hasCertificateAuthority: true,
  });
});

it.each([
  ['a key cut short', keys[0].slice(0, -3)],
  ['no key', 'ssh-ed25519'],
  ['a key of another type', `ssh-rsa ${keys[0].split(' ')[1]}`],
])('trusts nothing when a revocation has %s', (_, key) => {
  expect(() =>
    lookUpKnownHosts(`cp1 ${keys[1]}\n@revoked * ${key}`, 'cp1'),
  ).toThrow(UnreadableRevocation);
});

it('takes no exponential time over a hostile pattern', () => {
  const text = `${'*a'.repeat(500)} ${keys[0]}`;
  const start = performance.now();
  expect(found(text, 'a'.repeat(2000)).keys).toHaveLength(1);
  expect(found(text, `${'a'.repeat(2000)}b`).keys).toHaveLength(0);
  expect(performance.now() - start).toBeLessThan(1000);
});
