import { generateKeyPairSync } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool, withDirectory } from './__testUtils__/tools';
import {
  createSigningKeyFile,
  keyFingerprint,
  loadSigningKeyFile,
  signerOf,
  signMessage,
} from './signing';

describe('a signing key', () => {
  it('is a private file that is made once, and that OpenSSL reads', async () => {
    await withDirectory(async directory => {
      const path = join(directory, 'signing.pem');
      const key = await createSigningKeyFile(path);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(keyFingerprint(await loadSigningKeyFile(path))).toBe(
        keyFingerprint(key),
      );
      const text = await readFile(path, 'utf8');
      await expect(createSigningKeyFile(path)).rejects.toMatchObject({
        code: 'signing-key-exists',
      });
      expect(await readFile(path, 'utf8')).toBe(text);

      const digest = await runTool('sh', [
        '-c',
        'openssl pkey -in "$1" -pubout -outform DER | openssl dgst -sha256 -binary | base64',
        'sh',
        path,
      ]);
      expect(keyFingerprint(key)).toBe(
        `SHA256:${digest.stdout.toString().trim().replace(/=+$/, '')}`,
      );
    });
  });

  it('is refused when it is missing, of another kind or nothing at all', async () => {
    await withDirectory(async directory => {
      const path = join(directory, 'signing.pem');
      await expect(loadSigningKeyFile(path)).rejects.toMatchObject({
        code: 'signing-key-missing',
      });
      await expect(
        createSigningKeyFile(join(directory, 'no', 'such')),
      ).rejects.toMatchObject({ code: 'signing-key-unusable' });
      const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
      for (const content of [
        'no key',
        '',
        rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      ]) {
        await writeFile(path, content);
        await expect(loadSigningKeyFile(path)).rejects.toMatchObject({
          code: 'signing-key-unusable',
        });
      }
    });
  });

  it('signs one message and no other', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const signed = signMessage(Buffer.from('a'), privateKey);
    expect(signerOf(Buffer.from('a'), signed)).toBe(keyFingerprint(privateKey));
    expect(signerOf(Buffer.from('b'), signed)).toBeUndefined();
    const other = generateKeyPairSync('ed25519').privateKey;
    const { publicKey } = signMessage(Buffer.from('a'), other);
    const flipped = (base64: string) => {
      const bytes = Buffer.from(base64, 'base64');
      bytes[bytes.length - 1] ^= 1;
      return bytes.toString('base64');
    };
    for (const altered of [
      { ...signed, publicKey },
      { ...signed, publicKey: '' },
      { ...signed, publicKey: flipped(signed.publicKey) },
      { ...signed, signature: '' },
      { ...signed, signature: flipped(signed.signature) },
    ]) {
      expect(signerOf(Buffer.from('a'), altered)).toBeUndefined();
    }
  });
});
