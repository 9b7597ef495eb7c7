export { readCertificate } from './certificate';
export type { CertificateFacts } from './certificate';
export { publicKeyFingerprint } from './fingerprint';
export { mintClientCertificate } from './mintClientCertificate';
export type { ClientCertificate } from './mintClientCertificate';
