import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localMachine } from '../etcd/__testUtils__/localMachine';
import { makeAuthority, makeCertificate } from '../etcd/__testUtils__/openssl';
import { publicKeyFingerprint } from '../pki/fingerprint';
import { readNodeCertificates } from './nodeCertificates';

const signal = new AbortController().signal;

describe('certificates of a node', () => {
  let folder: string;
  const at = (name: string) => join(folder, name);
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cb-certificates-'));
    makeAuthority(at('ca'), 'kubernetes');
    makeCertificate(at('apiserver'), at('ca'), '/CN=kube-apiserver');
    makeCertificate(at('old'), at('ca'), '/O=system:masters/CN=admin', {
      days: -3,
      names: 'DNS:cp1,IP:192.0.2.11',
    });
    writeFileSync(
      at('admin.conf'),
      `users:\n- user: { client-certificate-data: ${readFileSync(
        at('old.crt'),
      ).toString('base64')} }\n- user: {}\n`,
    );
    writeFileSync(at('kubelet.conf'), 'users: [\n');
    writeFileSync(at('other.pem'), 'no certificate');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('are listed with their names and dates, the oldest first', async () => {
    const names = [
      ...['ca.crt', 'ca.key', 'apiserver.crt', 'admin.conf', 'kubelet.conf'],
      ...['other.pem', 'gone.crt'],
    ];
    const found = await readNodeCertificates(
      { machine: localMachine(), capture: names.map(at) },
      signal,
    );
    expect(found).toMatchObject([
      {
        path: at('admin.conf'),
        name: 'admin',
        issuer: 'kubernetes',
        certificateAuthority: false,
        dnsNames: ['cp1'],
        ipAddresses: ['192.0.2.11'],
      },
      {
        path: at('apiserver.crt'),
        name: 'kube-apiserver',
        dnsNames: ['localhost'],
      },
      { path: at('ca.crt'), name: 'kubernetes', certificateAuthority: true },
    ]);
    expect(found[0].notAfter.getTime()).toBeLessThan(Date.now());
    expect(found[0].notBefore.getTime()).toBeLessThan(
      found[0].notAfter.getTime(),
    );
    expect(found[1].notAfter.getTime()).toBeGreaterThan(Date.now());
  });

  it('are known by their keys', () => {
    const der = execFileSync('openssl', [
      ...['pkey', '-in', at('ca.key'), '-pubout', '-outform', 'DER'],
    ]);
    const expected = createHash('sha256').update(der).digest('hex');
    expect(publicKeyFingerprint(readFileSync(at('ca.crt')))).toBe(expected);
    expect(publicKeyFingerprint(readFileSync(at('ca.key'), 'utf8'))).toBe(
      expected,
    );
  });
});
