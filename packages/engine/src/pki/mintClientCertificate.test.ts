import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintClientCertificate } from './mintClientCertificate';

const openssl = (...args: string[]) =>
  execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' });

describe.each([
  { kind: 'RSA', make: ['-newkey', 'rsa:2048'] },
  {
    kind: 'EC',
    make: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  },
  {
    kind: 'EC of 384 bits',
    make: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  },
])('mintClientCertificate with an authority of $kind', ({ make }) => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cb-mint-'));
    for (const name of ['ca', 'other']) {
      openssl(
        ...['req', '-x509', ...make, '-nodes', '-subj', '/CN=kubernetes'],
        ...['-addext', 'keyUsage=critical,digitalSignature,keyCertSign'],
        ...['-keyout', join(folder, `${name}.key`)],
        ...['-out', join(folder, `${name}.crt`)],
      );
    }
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const read = (name: string) => readFileSync(join(folder, name));
  const validity = {
    notBefore: new Date(Date.now() - 300_000),
    notAfter: new Date(Date.now() + 3_600_000),
  };
  const subject = {
    organization: 'system:masters',
    commonName: 'user:default/zoë',
  };

  it('makes what openssl takes for a client certificate of that authority and of no other', async () => {
    const authority = { certificate: read('ca.crt'), key: read('ca.key') };
    const minted = await mintClientCertificate(authority, subject, validity);

    const file = join(folder, 'client.crt');
    writeFileSync(file, minted.certificate);
    const verify = (ca: string) =>
      openssl(
        ...['verify', '-purpose', 'sslclient', '-x509_strict'],
        ...['-CAfile', join(folder, ca), '-partial_chain', file],
      );
    expect(verify('ca.crt')).toContain('OK');
    expect(() => verify('other.crt')).toThrow();
    const certificate = new X509Certificate(minted.certificate);
    expect(certificate.subject).toBe('O=system:masters\nCN=user:default/zoë');
    expect(certificate.ca).toBe(false);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    const seconds = (date: Date) => Math.floor(date.getTime() / 1000);
    expect(Date.parse(certificate.validTo) / 1000).toBe(
      seconds(validity.notAfter),
    );
    expect(Date.parse(certificate.validFrom) / 1000).toBe(
      seconds(validity.notBefore),
    );
    writeFileSync(join(folder, 'client.key'), minted.key);
    expect(openssl('pkey', '-in', join(folder, 'client.key'), '-pubout')).toBe(
      openssl('x509', '-in', file, '-noout', '-pubkey'),
    );
  });

  it('makes nothing with a key that is not the authority’s', async () => {
    const authority = { certificate: read('ca.crt'), key: read('other.key') };
    await expect(
      mintClientCertificate(authority, subject, validity),
    ).rejects.toThrow('not that of the certificate');
  });
});
