import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildSync } from 'esbuild';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cluster-backup-ssh2-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('has no native ciphers, where another plugin of the portal has loaded ssh2 with them', () => {
  for (const name of [
    'ssh2',
    'asn1',
    'bcrypt-pbkdf',
    'safer-buffer',
    'tweetnacl',
  ]) {
    const from = dirname(require.resolve(`${name}/package.json`));
    cpSync(from, join(folder, 'node_modules', name), { recursive: true });
  }
  const build = join(
    folder,
    'node_modules/ssh2/lib/protocol/crypto/build/Release',
  );
  mkdirSync(build, { recursive: true });
  const binding = join(build, 'sshcrypto.node');
  writeFileSync(binding, '');
  buildSync({
    entryPoints: [join(__dirname, 'ssh2.ts')],
    outfile: join(folder, 'ours.js'),
    bundle: true,
    external: ['ssh2'],
    platform: 'node',
  });
  const portal = `
    const native = class {};
    const binding = ${JSON.stringify(binding)};
    require.cache[binding] = { loaded: true, exports: { AESGCMCipher: native, AESGCMDecipher: native } };
    const cryptoOf = () => require('ssh2/lib/protocol/crypto.js');
    const theirs = require('ssh2');
    const theirCrypto = cryptoOf();
    const ours = require('./ours.js');
    const isTheirsKept = require('ssh2') === theirs && cryptoOf() === theirCrypto;

    console.log(JSON.stringify({
      theirs: theirCrypto.bindingAvailable,
      isTheirsKept,
      isOursAnother: ours.Client !== theirs.Client,
      isBindingKept: require.cache[binding].exports?.AESGCMCipher === native,
    }));
    const client = new ours.Client();
    client.on('error', () => {});
    client.connect({ host: '127.0.0.1', port: 1, username: 'root', debug: line => console.log(line) });
  `;
  const told = execFileSync(process.execPath, ['-e', portal], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(JSON.parse(told.split('\n')[0])).toEqual({
    theirs: true,
    isTheirsKept: true,
    isOursAnother: true,
    isBindingKept: true,
  });
  expect(told).toContain('Custom crypto binding not available');
});
