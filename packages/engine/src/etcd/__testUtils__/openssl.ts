import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const openssl = (...args: string[]) =>
  execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });

/** A certificate authority in `FILE.crt` and `FILE.key`. */
export function makeAuthority(file: string, name: string) {
  mkdirSync(dirname(file), { recursive: true });
  openssl(
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    ...['-nodes', '-days', '3650', '-subj', `/CN=${name}`],
    ...['-keyout', `${file}.key`, '-out', `${file}.crt`],
  );
}

/** A certificate in `FILE.crt` and `FILE.key`, for serving and for asking; expired when `days` is negative. */
export function makeCertificate(
  file: string,
  authority: string,
  subject: string,
  options: { names?: string; days?: number } = {},
) {
  mkdirSync(dirname(file), { recursive: true });
  const { names = 'DNS:localhost,IP:127.0.0.1', days = 365 } = options;
  const scratch = mkdtempSync(join(tmpdir(), 'cb-openssl-'));
  const at = (name: string) => join(scratch, name);
  // `openssl ca` is the one that takes dates, which an expired certificate needs.
  writeFileSync(at('index'), '');
  writeFileSync(
    at('extensions'),
    `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`,
  );
  writeFileSync(
    at('config'),
    `[ca]
default_ca=c
[c]
database=${at('index')}
serial=${at('serial')}
new_certs_dir=${scratch}
default_md=sha256
policy=p
unique_subject=no
[p]
commonName=supplied
organizationName=optional
`,
  );
  const day = (offset: number) =>
    `${new Date(Date.now() + offset * 86_400_000)
      .toISOString()
      .replace(/[-:T]/g, '')
      .slice(0, 14)}Z`;
  try {
    openssl(
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
      ...['-nodes', '-subj', subject],
      ...['-keyout', `${file}.key`, '-out', at('request')],
    );
    openssl(
      ...['ca', '-batch', '-notext', '-config', at('config'), '-rand_serial'],
      ...['-cert', `${authority}.crt`, '-keyfile', `${authority}.key`],
      ...['-in', at('request'), '-out', `${file}.crt`],
      ...['-extfile', at('extensions')],
      ...['-startdate', day(Math.min(days - 1, -1)), '-enddate', day(days)],
    );
  } finally {
    rmSync(scratch, { recursive: true });
  }
}
