import { archiveCluster } from './archiveCluster';
import { archiveGcpKeys } from './archiveGcpKeys';
import { archiveNodes } from './archiveNodes';
import { archiveSshKey } from './archiveSshKey';
import { Finding } from './Check';

/** The check that stands for what could not be told of the last backup. */
const ARCHIVE_READ = 'archive-read';

const OF_THE_ARCHIVE = [
  ...[archiveCluster, archiveNodes, archiveSshKey, archiveGcpKeys].map(
    ({ id }) => id,
  ),
  ARCHIVE_READ,
];

/** Reservations that a restored cluster would have. */
const AFTERWARDS = ['gcp-key-refused'];

/**
 * Whether a finding of a look stands against restoring: a restore would be refused, or what it brings back does not fit
 * the cluster and its machines any more.
 *
 * @public
 */
export function isAgainstRestore(
  finding: Pick<Finding, 'check' | 'level' | 'code'>,
): boolean {
  return (
    finding.level === 'refusal' ||
    AFTERWARDS.includes(finding.code) ||
    isOfLastBackup(finding)
  );
}

/**
 * Whether a finding is about the last backup of that day: a newer backup makes it one of the past.
 *
 * @public
 */
export function isOfLastBackup({ check }: Pick<Finding, 'check'>): boolean {
  return OF_THE_ARCHIVE.includes(check);
}

/**
 * What a look finds where no store tells what the last backup is.
 *
 * @public
 */
export function lastBackupUnread({
  message,
  remedy,
}: {
  message: string;
  remedy: string;
}): Finding {
  return {
    check: ARCHIVE_READ,
    level: 'reservation',
    code: 'archive-not-read',
    message: `Whether the last backup fits the cluster was not looked at, as no store told of it: ${message}`,
    remedy,
  };
}
