import { ClusterBackupError, NOTHING_CHANGED } from '../errors';

const OTHER_COPY =
  'Restore from another copy of this archive or from another backup, and keep this file for examination.';

export function archiveTruncated(message: string, cause?: unknown) {
  return new ClusterBackupError({
    code: 'archive-truncated',
    message,
    state: NOTHING_CHANGED,
    remedy: `Compare the file's size with the one in its summary and copy it again from where it was stored. ${OTHER_COPY}`,
    cause,
  });
}

export function archiveAltered(
  message: string,
  details?: Record<string, unknown>,
  cause?: unknown,
) {
  return new ClusterBackupError({
    code: 'archive-altered',
    message,
    state: NOTHING_CHANGED,
    remedy: `Trust nothing that was read from this file. ${OTHER_COPY}`,
    details,
    cause,
  });
}

export function archiveNotOurs(
  message: string,
  remedy = 'If it is a backup of bmctl, which bears the same name, restore it with `bmctl restore cluster`. Otherwise choose an archive that this program wrote: CLUSTER_backup_TIME.tar.gz.age or .tar.zst.age.',
) {
  return new ClusterBackupError({
    code: 'archive-not-ours',
    message,
    state: NOTHING_CHANGED,
    remedy,
  });
}

export function archiveKeyMissing() {
  return new ClusterBackupError({
    code: 'archive-key-missing',
    message: 'The archive is encrypted, and nothing was given to open it.',
    state: NOTHING_CHANGED,
    remedy:
      'Give the identity that belongs to one of the recipients this cluster was configured with when the backup was taken.',
  });
}

export function archiveWrongKey(message: string, recipients: number) {
  return new ClusterBackupError({
    code: 'archive-wrong-key',
    message,
    state: NOTHING_CHANGED,
    remedy:
      'Give the identity that belongs to one of the recipients this cluster was configured with when the backup was taken.',
    details: { recipients },
  });
}

export function archiveNewerFormat(what: string, formatVersion: number) {
  return new ClusterBackupError({
    code: 'archive-newer-format',
    message: `${what} has format version ${formatVersion}; this program reads version 1.`,
    state: NOTHING_CHANGED,
    remedy: 'Use the newer version of this program that wrote the archive.',
    details: { formatVersion },
  });
}

export function archiveSignatureInvalid(message: string) {
  return new ClusterBackupError({
    code: 'archive-signature-invalid',
    message,
    state: NOTHING_CHANGED,
    remedy: `Its description and checksums are not what was signed; trust neither. ${OTHER_COPY}`,
  });
}

/** The archive that is being written would not be a true one. */
export function archiveUnwritable(
  message: string,
  details?: Record<string, unknown>,
) {
  return new ClusterBackupError({
    code: 'archive-content-refused',
    message,
    state: `${NOTHING_CHANGED} No archive was stored.`,
    remedy:
      'Look at what is named here on its machine, then take the backup again.',
    details,
  });
}
