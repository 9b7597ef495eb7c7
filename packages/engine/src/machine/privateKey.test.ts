import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClusterBackupError } from '../errors';
import { MachineAccess } from './Machine';
import { readPrivateKey } from './privateKey';

const directory = mkdtempSync(join(tmpdir(), 'private-key-'));
afterAll(() => rmSync(directory, { recursive: true }));

function access(privateKey: string, passphrase?: string): MachineAccess {
  return {
    name: 'cp1',
    address: '127.0.0.1',
    user: 'root',
    privateKey,
    passphrase,
    hostKeys: { mode: 'strict' },
  };
}

/** The public half as ssh-keygen sees it. */
function publicHalf(pem: string, passphrase = ''): string {
  const path = join(directory, 'key');
  writeFileSync(path, pem, { mode: 0o600 });
  const line = execFileSync('ssh-keygen', ['-y', '-P', passphrase, '-f', path]);
  return line.toString().split(' ')[1].trim();
}

function read(pem: string, passphrase?: string): string {
  const key = readPrivateKey(access(pem, passphrase));
  expect(key.sign(Buffer.from('challenge'))).toBeInstanceOf(Buffer);
  return key.getPublicSSH().toString('base64');
}

const pairs = {
  ed25519: () => generateKeyPairSync('ed25519').privateKey,
  rsa: () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  p256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  p384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  p521: () => generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
};

describe.each(Object.entries(pairs))('%s', (_, newKey) => {
  const key = newKey();
  const plain = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  const expected = (() => {
    // ssh-keygen reads no Ed25519 keys in PKCS#8.
    if (key.asymmetricKeyType !== 'ed25519') {
      return publicHalf(plain);
    }
    const { x } = key.export({ format: 'jwk' });
    return Buffer.concat([
      Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0\x20', 'latin1'),
      Buffer.from(x!, 'base64url'),
    ]).toString('base64');
  })();

  it('is read as PKCS#8, with and without a passphrase, with any line ends', () => {
    const encrypted = key
      .export({
        type: 'pkcs8',
        format: 'pem',
        cipher: 'aes-256-cbc',
        passphrase: 'secret',
      })
      .toString();
    expect(read(plain)).toBe(expected);
    expect(read(encrypted, 'secret')).toBe(expected);
    expect(read(`\n${plain.replaceAll('\n', '\r\n')}  `)).toBe(expected);
  });

  const ownFormat = { rsa: 'pkcs1', ec: 'sec1', ed25519: 'pkcs8' } as const;
  it('is read in its own PEM format', () => {
    const type = ownFormat[key.asymmetricKeyType as keyof typeof ownFormat];
    expect(read(key.export({ type, format: 'pem' }).toString())).toBe(expected);
  });
});

it.each([
  ['ed25519', []],
  ['ecdsa', ['-b', '384']],
  ['rsa', ['-b', '2048']],
  ['rsa', ['-b', '2048', '-m', 'PEM']],
])('reads what ssh-keygen -t %s %j writes', (type, flags) => {
  for (const passphrase of ['', 'secret']) {
    const path = join(directory, `${type}-${flags.length}-${passphrase}`);
    execFileSync('ssh-keygen', [
      // One round of bcrypt: its strength is not what is tested.
      ...['-q', '-a', '1', '-t', type, '-f', path, '-N', passphrase],
      ...flags,
    ]);
    const pem = readFileSync(path, 'utf8');
    expect(read(pem, passphrase || undefined)).toBe(
      publicHalf(pem, passphrase),
    );
  }
});

it('hands Ed25519 keys over to ssh2 without loss', () => {
  for (let index = 0; index < 3; index++) {
    const key = pairs.ed25519();
    const pem = readPrivateKey(
      access(key.export({ type: 'pkcs8', format: 'pem' }).toString()),
    ).getPrivatePEM();
    expect(createPrivateKey(pem).equals(key)).toBe(true);
  }
});

const encryptedPem = generateKeyPairSync('ed25519', {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: {
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'secret',
  },
}).privateKey;

it.each([
  ['an empty text', '', undefined],
  ['something else', 'hello', undefined],
  ['a missing passphrase', encryptedPem, undefined],
  ['a wrong passphrase', encryptedPem, 'wrong'],
  [
    'a public key',
    generateKeyPairSync('rsa', { modulusLength: 2048 })
      .publicKey.export({ type: 'spki', format: 'pem' })
      .toString(),
    undefined,
  ],
  [
    'a kind of key that SSH does not know',
    generateKeyPairSync('x25519')
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString(),
    undefined,
  ],
])('says what is wrong with %s, and does not repeat it', (_, pem, pass) => {
  let caught: unknown;
  try {
    readPrivateKey(access(pem, pass));
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(ClusterBackupError);
  const { code, message, remedy, details } = caught as ClusterBackupError;
  expect(code).toBe('ssh-key-unreadable');
  const told = JSON.stringify({ message, remedy, details });
  expect(told).not.toContain('PRIVATE KEY-----');
  expect(told).not.toContain('"wrong"');
});
