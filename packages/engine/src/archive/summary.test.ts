import { generateKeyPairSync } from 'node:crypto';
import { encodeSummary, keyFingerprint, verifySummary } from '.';
import { sampleDescription, signingKey } from './__testUtils__/sampleArchive';
import { signSummary } from './summary';

const content = {
  formatVersion: 1 as const,
  description: sampleDescription(10),
  facts: { revision: 7, snapshotSha256: 'cd'.repeat(32) },
  ciphertext: { size: 100, sha256: 'ef'.repeat(32) },
  signer: keyFingerprint(signingKey),
};
const bytes = encodeSummary(signSummary(content, signingKey));

function codeOf(summary: Buffer, trusted?: string[]): string {
  try {
    verifySummary(summary, trusted);
    return 'verified';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('verifySummary', () => {
  it('takes what was signed, however it is laid out', () => {
    expect(verifySummary(bytes)).toEqual(signSummary(content, signingKey));
    const value = JSON.parse(bytes.toString());
    const turned = Object.fromEntries(Object.entries(value).reverse());
    expect(codeOf(Buffer.from(JSON.stringify(turned)))).toBe('verified');
    expect(codeOf(bytes, [content.signer, 'SHA256:other'])).toBe('verified');
  });

  it('refuses what was changed anywhere', () => {
    const change = (path: string[], value: unknown) => {
      const summary = JSON.parse(bytes.toString());
      const last = path.pop()!;
      path.reduce((found, name) => found[name], summary)[last] = value;
      return codeOf(Buffer.from(JSON.stringify(summary)));
    };
    for (const [path, value] of [
      [['description', 'cluster', 'name'], 'other'],
      [['description', 'cluster', 'unknown'], 'field'],
      [['description', 'nodes', '0', 'hostKey'], 'ssh-ed25519 BBBB'],
      [['facts', 'revision'], 8],
      [['ciphertext', 'sha256'], '00'.repeat(32)],
      [['ciphertext', 'size'], 101],
      [['signer'], 'SHA256:other'],
      [['added'], true],
    ] as Array<[string[], unknown]>) {
      expect(change(path, value)).toBe('summary-signature-invalid');
    }
    expect(change(['formatVersion'], 2)).toBe('archive-newer-format');
    expect(change(['formatVersion'], 0)).toBe('summary-invalid');
    expect(change(['algorithm'], 'none')).toBe('summary-invalid');
    expect(change(['description', 'nodes'], [])).toBe('summary-invalid');
    expect(codeOf(Buffer.from('[]'))).toBe('summary-invalid');
    expect(codeOf(bytes.subarray(0, -10))).toBe('summary-invalid');
  });

  it('refuses a signer that is not trusted, and one that only says it is', () => {
    expect(codeOf(bytes, ['SHA256:other'])).toBe('summary-signer-untrusted');
    expect(codeOf(bytes, [])).toBe('summary-signer-untrusted');
    const { privateKey } = generateKeyPairSync('ed25519');
    const pretended = encodeSummary(signSummary(content, privateKey));
    expect(codeOf(pretended, [content.signer])).toBe(
      'summary-signature-invalid',
    );
  });
});
