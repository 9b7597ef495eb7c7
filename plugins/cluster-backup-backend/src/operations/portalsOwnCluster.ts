import { readFile } from 'node:fs/promises';
import { Backup } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import {
  ArchiveSummary,
  ClusterBackupError,
  NOTHING_CHANGED,
  publicKeyFingerprint,
} from '@cluster-backup/engine';

/** What Kubernetes gives a pod to know its API server by. */
const POD_AUTHORITY = '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt';
const CERTIFICATES =
  /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The clusters that a portal cannot restore, because it would stop with them. */
export interface PortalsOwnClusters {
  /** Fingerprints of the authorities of the cluster that this process runs on. */
  authorities: string[];
  /** Names of clusters that the portal needs otherwise, for its database say. */
  names: string[];
}

/**
 * Looks where this process runs, which takes no rights in the cluster.
 *
 * @param names - what the configuration says
 * @param file - where a pod has its cluster's authority
 */
export async function portalsOwnClusters(
  names: string[],
  file: string = POD_AUTHORITY,
): Promise<PortalsOwnClusters> {
  const bundle = await readFile(file, 'utf8').catch(() => '');
  const certificates = bundle.match(CERTIFICATES) ?? [];
  return { authorities: certificates.map(publicKeyFingerprint), names };
}

/** Whether the portal runs on the cluster of a backup, as far as its key tells; for showing it. */
export function isPortalsOwn(
  { authorities, names }: PortalsOwnClusters,
  name: string | undefined,
  backup: Backup | undefined,
): boolean {
  const folder = backup?.key.split('/').at(-2);
  return (
    (name !== undefined && names.includes(name)) ||
    (folder !== undefined &&
      authorities.some(authority => authority.slice(0, 8) === folder))
  );
}

/**
 * Refuses to restore the cluster that the portal runs on: the portal would stop half-way.
 *
 * @throws ClusterBackupError `cluster-runs-portal`, with the command that does it without the portal
 */
export function refusePortalsOwn(
  { authorities, names }: PortalsOwnClusters,
  name: string,
  { key, copies, isEncrypted }: Backup,
  { description, signer }: ArchiveSummary,
): void {
  const { caFingerprint } = description.cluster;
  if (!names.includes(name) && !authorities.includes(caFingerprint)) return;
  const file = key.split('/').at(-1)!;
  const identity = isEncrypted ? ' --identity IDENTITY' : '';
  const command = `cluster-backup restore -c ${description.cluster.name} --backup-file ${file}${identity} --signer ${signer}`;
  throw new ClusterBackupError({
    code: 'cluster-runs-portal',
    message: `The portal itself runs on ${name}: restoring it would stop the portal half-way.`,
    state: NOTHING_CHANGED,
    remedy: `Restore it without the portal. Take ${key} and the file ${file}.summary.json beside it from ${copies
      .map(({ store }) => store)
      .join(
        ' or ',
      )} to a machine that reaches the cluster's, and run there: ${command}`,
    details: { command },
  });
}
