import { encryptionKeysIn } from './encryptionKeys';

const configuration = (...providers: string[]) =>
  Buffer.from(`apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
  - resources: [secrets]
    providers: [${providers.join(', ')}]
`);
const aes = (name: string, secret: string) =>
  `{ aescbc: { keys: [{ name: ${name}, secret: ${secret} }] } }`;

describe('encryptionKeysIn', () => {
  it('knows a key by provider, name and key, whatever stands beside it', () => {
    const [key] = encryptionKeysIn(configuration(aes('one', 'c2VjcmV0')));
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    const both = encryptionKeysIn(
      configuration(aes('two', 'b3RoZXI='), aes('one', 'c2VjcmV0')),
    );
    expect(both).toContain(key);
    expect(both).toHaveLength(2);
    for (const other of [
      aes('one', 'b3RoZXI='),
      aes('two', 'c2VjcmV0'),
      '{ secretbox: { keys: [{ name: one, secret: c2VjcmV0 }] } }',
    ]) {
      expect(encryptionKeysIn(configuration(other))).not.toContain(key);
    }
  });

  it('knows a key management service by name and endpoint, and no key where nothing is encrypted', () => {
    const kms = '{ kms: { name: vault, endpoint: "unix:///run/kms.sock" } }';
    expect(encryptionKeysIn(configuration(kms, '{ identity: {} }'))).toEqual(
      encryptionKeysIn(configuration(kms)),
    );
    expect(encryptionKeysIn(configuration('{ identity: {} }'))).toEqual([]);
    for (const text of ['', '{', 'resources: 7', 'a: [1']) {
      expect(encryptionKeysIn(Buffer.from(text))).toEqual([]);
    }
    expect(encryptionKeysIn(undefined)).toEqual([]);
  });
});
