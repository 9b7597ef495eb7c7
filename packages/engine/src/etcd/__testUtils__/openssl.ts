import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
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
  const extensions = `${file}.ext`;
  writeFileSync(
    extensions,
    `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`,
  );
  openssl(
    ...[
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
    ],
    ...['-subj', subject, '-keyout', `${file}.key`, '-out', `${file}.csr`],
  );
  const day = (offset: number) =>
    `${new Date(Date.now() + offset * 86_400_000)
      .toISOString()
      .replace(/[-:T]/g, '')
      .slice(0, 14)}Z`;
  const database = join(dirname(file), 'ca.cnf');
  writeFileSync(`${file}.index`, '');
  writeFileSync(`${file}.serial`, '01\n');
  writeFileSync(
    database,
    `[ca]\ndefault_ca=c\n[c]\ndatabase=${file}.index\nserial=${file}.serial\nnew_certs_dir=${dirname(
      file,
    )}\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\norganizationName=optional\n`,
  );
  openssl(
    ...['ca', '-batch', '-notext', '-config', database, '-rand_serial'],
    ...['-cert', `${authority}.crt`, '-keyfile', `${authority}.key`],
    ...['-in', `${file}.csr`, '-out', `${file}.crt`, '-extfile', extensions],
    ...['-startdate', day(Math.min(days - 1, -1)), '-enddate', day(days)],
  );
}
