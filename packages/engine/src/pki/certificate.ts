import { X509Certificate } from 'node:crypto';
import { publicKeyFingerprint } from './fingerprint';

/** What a certificate says of itself. @public */
export interface CertificateFacts {
  /** The common name, or the whole subject where there is none. */
  name: string;
  issuer: string;
  notBefore: Date;
  notAfter: Date;
  /** SHA-256 of its public key, in hex. */
  fingerprint: string;
  certificateAuthority: boolean;
  dnsNames: string[];
  ipAddresses: string[];
}

const commonName = (subject: string | undefined) =>
  /^CN=(.*)$/m.exec(subject ?? '')?.[1] ?? subject ?? '';

/**
 * Reads the first certificate of a PEM text.
 *
 * @throws what node:crypto throws when there is none
 * @public
 */
export function readCertificate(pem: string | Buffer): CertificateFacts {
  const certificate = new X509Certificate(pem);
  const names = (certificate.subjectAltName ?? '').split(', ');
  const ofKind = (kind: string) =>
    names.filter(n => n.startsWith(kind)).map(n => n.slice(kind.length));
  return {
    name: commonName(certificate.subject),
    issuer: commonName(certificate.issuer),
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
    fingerprint: publicKeyFingerprint(pem),
    certificateAuthority: certificate.ca,
    dnsNames: ofKind('DNS:'),
    ipAddresses: ofKind('IP Address:'),
  };
}
