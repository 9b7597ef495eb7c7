import { Compression } from './compression';

/** What an archive's name says of its outer layers. @public */
export interface ArchiveForm {
  compression: Compression;
  encrypted: boolean;
}

const NAME =
  /^(.+)_backup_(\d{4})-(\d{2})-(\d{2})T(\d{2})(\d{2})(\d{2})Z\.tar\.(gz|zst)(\.age)?$/;

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
  return `${cluster}_backup_${timestamp}.tar.${
    compression === 'zstd' ? 'zst' : 'gz'
  }${encrypted ? '.age' : ''}`;
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
  if (!match) {
    return undefined;
  }
  const [, cluster, year, month, day, hour, minute, second, packed, age] =
    match;
  const at = new Date(
    `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`,
  );
  if (Number.isNaN(at.getTime())) {
    return undefined;
  }
  return {
    cluster,
    at,
    compression: packed === 'zst' ? 'zstd' : 'gzip',
    encrypted: age !== undefined,
  };
}
