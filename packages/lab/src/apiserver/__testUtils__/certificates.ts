import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate authority in a directory of a test. */
export function makeAuthority(directory: string, name: string) {
  const at = (file: string) => join(directory, file);
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { stdio: 'pipe' });
  const newKey = (path: string) =>
    openssl(
      ...['genpkey', '-algorithm', 'EC', '-out', path],
      ...['-pkeyopt', 'ec_paramgen_curve:prime256v1'],
    );
  const ca = { cert: at(`${name}.crt`), key: at(`${name}.key`) };
  newKey(ca.key);
  openssl(
    ...['req', '-x509', '-new', '-key', ca.key, '-out', ca.cert],
    ...['-days', '2', '-subj', `/CN=${name}`],
  );
  return {
    cert: ca.cert,
    /** @returns paths of a certificate with that subject, for both uses, and its key */
    issue(file: string, subject: string) {
      const issued = { cert: at(`${file}.crt`), key: at(`${file}.key`) };
      newKey(issued.key);
      writeFileSync(
        at(`${file}.ext`),
        'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n',
      );
      openssl(
        ...['req', '-new', '-key', issued.key, '-subj', subject],
        ...['-out', at(`${file}.csr`)],
      );
      openssl(
        ...['x509', '-req', '-in', at(`${file}.csr`), '-days', '2'],
        ...['-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial'],
        ...['-extfile', at(`${file}.ext`), '-out', issued.cert],
      );
      return issued;
    },
  };
}
