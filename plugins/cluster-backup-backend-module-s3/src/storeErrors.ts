import { ClusterBackupError, NOTHING_CHANGED } from '@cluster-backup/engine';

export function fileExists(store: string, key: string) {
  return new ClusterBackupError({
    code: 'store-file-exists',
    message: `The store ${store} has a file ${key} already.`,
    state: `That file was left as it is. ${NOTHING_CHANGED}`,
    remedy: 'Take the backup again; its name will hold another time.',
    details: { store, key },
  });
}

export function fileMissing(store: string, key: string) {
  return new ClusterBackupError({
    code: 'store-file-missing',
    message: `The store ${store} has no file ${key}.`,
    state: NOTHING_CHANGED,
    remedy: 'List the store to see what it has.',
    details: { store, key },
  });
}

export function fileLocked(store: string, key: string, until: Date) {
  return new ClusterBackupError({
    code: 'store-file-locked',
    message: `The store ${store} lets nobody remove ${key} before ${until.toISOString()}.`,
    state: `The file was left as it is. ${NOTHING_CHANGED}`,
    remedy: 'Wait until then. The lock is what it was asked for.',
    details: { store, key, until: until.toISOString() },
  });
}

/** A bucket gets Object Lock when it is made, or never. */
export function lockMissing(store: string, key: string, cause?: unknown) {
  return new ClusterBackupError({
    code: 'store-lock-missing',
    message: `The store ${store} can not lock ${key}: its bucket has no Object Lock.`,
    state: `The file is kept, and not locked. ${NOTHING_CHANGED}`,
    remedy:
      'Use a bucket that was made with Object Lock, or take objectLock out of the configuration of the store.',
    details: { store, key },
    cause,
  });
}

/** The store said that it did, and did not. */
export function notKept(
  store: string,
  key: string,
  found: string,
  state: string,
) {
  return new ClusterBackupError({
    code: 'store-not-kept',
    message: `The store ${store} did not keep its word about ${key}: it answered that all is well, but ${found}.`,
    state: `${state} ${NOTHING_CHANGED}`,
    remedy:
      'Do not trust this store until its operator has found out why. Keep copies in another one.',
    details: { store, key, found },
  });
}
