import { execFile } from 'node:child_process';
import { generateKeyPairSync, KeyObject } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A certificate with its key, both PEM. */
export interface Certified {
  certificate: string;
  key: string;
}

/** What a certificate is to say. Names and addresses are subject alternative names. */
export interface CertificateRequest {
  commonName: string;
  organization?: string;
  usages?: Array<'serverAuth' | 'clientAuth'>;
  names?: string[];
  addresses?: string[];
}

const LEAF_DAYS = 365;
const AUTHORITY_DAYS = 3650;

/** An ECDSA P-256 key, which takes a millisecond where kubeadm's RSA 2048 takes a hundred. */
export function ecKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return keyText(privateKey);
}

function keyText(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'sec1' }).toString();
}

/** Signs with the `openssl` program. Without an issuer the certificate is an authority that signs itself. */
export async function certify(
  request: CertificateRequest,
  issuer?: Certified,
): Promise<Certified> {
  const key = ecKey();
  const directory = await mkdtemp(join(tmpdir(), 'certify-'));
  const at = (name: string) => join(directory, name);
  try {
    await writeFile(at('key'), key, { mode: 0o600 });
    await writeFile(at('config'), configText(request, !issuer));
    const issuing: string[] = [];
    if (issuer) {
      await writeFile(at('ca.key'), issuer.key, { mode: 0o600 });
      await writeFile(at('ca.crt'), issuer.certificate);
      issuing.push('-CA', at('ca.crt'), '-CAkey', at('ca.key'));
    }
    await run('openssl', [
      ...['req', '-x509', '-new', '-sha256', '-config', at('config')],
      ...['-key', at('key'), '-out', at('crt'), ...issuing],
      ...['-days', String(issuer ? LEAF_DAYS : AUTHORITY_DAYS)],
    ]);
    return { certificate: await readFile(at('crt'), 'utf8'), key };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function configText(request: CertificateRequest, authority: boolean): string {
  const alternatives = [
    ...(request.names ?? []).map(name => `DNS:${name}`),
    ...(request.addresses ?? []).map(address => `IP:${address}`),
  ];
  return [
    '[req]',
    'prompt = no',
    'distinguished_name = subject',
    'x509_extensions = extensions',
    '[subject]',
    ...(request.organization ? [`O = ${request.organization}`] : []),
    `CN = ${request.commonName}`,
    '[extensions]',
    `basicConstraints = critical, CA:${authority ? 'TRUE' : 'FALSE'}`,
    `keyUsage = critical, digitalSignature, keyEncipherment${
      authority ? ', keyCertSign' : ''
    }`,
    'subjectKeyIdentifier = hash',
    ...(authority ? [] : ['authorityKeyIdentifier = keyid']),
    ...(request.usages
      ? [`extendedKeyUsage = ${request.usages.join(', ')}`]
      : []),
    ...(alternatives.length
      ? [`subjectAltName = ${alternatives.join(', ')}`]
      : []),
    '',
  ].join('\n');
}
