import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { Compression } from './compression';

/** What an archive's name says of its outer layers. @public */
export interface ArchiveForm {
  compression: Compression;
  encrypted: boolean;
}

const NAME =
  /^(.+)_backup_(\d{4})-(\d{2})-(\d{2})T(\d{2})(\d{2})(\d{2})Z\.tar\.(?:gz|zst)(?:\.age)?$/;
const ENDING = /\.tar\.(gz|zst)(\.age)?$/;
/** What lies beside it has longer names, which a store must take as well. */
const SAFE = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,179}$/;
const BESIDE = /\.(summary|hold)\.json$/;

/**
 * `CLUSTER_backup_TIMESTAMP.tar.gz.age`, where the timestamp has Go's layout `2006-01-02T150405Z0700` in UTC, as
 * `bmctl` names its files: `lab_backup_2026-11-22T141500Z.tar.gz.age`. It is `.tar.zst` with zstd, and without `.age`
 * where it is not encrypted.
 *
 * @public
 */
export function archiveName(
  cluster: string,
  at: Date,
  form: Partial<ArchiveForm> = {},
): string {
  const { compression = 'gzip', encrypted = true } = form;
  const timestamp = at
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/:/g, '');
  return `${cluster}_backup_${timestamp}${endingOf({
    compression,
    encrypted,
  })}`;
}

/**
 * The name of an archive that a person chose, with the ending of its form where it does not end so already.
 *
 * @throws ClusterBackupError `archive-name-unsafe`
 * @public
 */
export function chosenArchiveName(name: string, form: ArchiveForm): string {
  const ending = endingOf(form);
  const stem = name.endsWith(ending) ? name.slice(0, -ending.length) : name;
  if (archiveForm(stem)) {
    throw nameUnsafe(
      name,
      `an archive that is packed as this ends in ${ending}`,
    );
  }
  refuseUnsafeName(`${stem}${ending}`);
  return `${stem}${ending}`;
}

/**
 * Refuses a name that is not one for a file everywhere: in a folder, a bucket and a command line.
 *
 * @throws ClusterBackupError `archive-name-unsafe`
 * @public
 */
export function refuseUnsafeName(name: string) {
  if (!SAFE.test(name)) {
    throw nameUnsafe(
      name,
      'it is not of 1 to 180 letters, digits and . _ - or begins with . or -',
    );
  }
  if (BESIDE.test(name)) {
    throw nameUnsafe(name, 'it is that of a file beside an archive');
  }
}

function nameUnsafe(name: string, why: string) {
  return new ClusterBackupError({
    code: 'archive-name-unsafe',
    message: `${JSON.stringify(
      name.slice(0, 250),
    )} is no name for an archive: ${why}.`,
    state: `${NOTHING_CHANGED} No backup was taken.`,
    remedy:
      'Choose a name of letters, digits and . _ - such as before-upgrade; the ending is added.',
  });
}

function endingOf({ compression, encrypted }: ArchiveForm): string {
  const packed = compression === 'zstd' ? 'zst' : 'gz';
  return `.tar.${packed}${encrypted ? '.age' : ''}`;
}

/** What the ending of a name says of an archive; `undefined` when it is that of no archive. @public */
export function archiveForm(name: string): ArchiveForm | undefined {
  const match = ENDING.exec(name);
  if (!match) return undefined;
  const [, packed, age] = match;
  return {
    compression: packed === 'zst' ? 'zstd' : 'gzip',
    encrypted: age !== undefined,
  };
}

/**
 * The parts of an archive's name; `undefined` when it is none. bmctl's own backups have the name of one that is not
 * encrypted.
 *
 * @public
 */
export function parseArchiveName(
  name: string,
): ({ cluster: string; at: Date } & ArchiveForm) | undefined {
  const match = NAME.exec(name);
  const form = archiveForm(name);
  if (!match || !form) {
    return undefined;
  }
  const [, cluster, year, month, day, hour, minute, second] = match;
  const at = new Date(
    `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`,
  );
  if (Number.isNaN(at.getTime())) {
    return undefined;
  }
  return { cluster, at, ...form };
}
