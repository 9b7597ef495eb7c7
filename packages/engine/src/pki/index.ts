export { readCertificate } from './certificate';
export type { CertificateFacts } from './certificate';
export { publicKeyFingerprint } from './fingerprint';
