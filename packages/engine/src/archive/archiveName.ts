const NAME =
  /^(.+)_backup_(\d{4})-(\d{2})-(\d{2})T(\d{2})(\d{2})(\d{2})Z\.tar\.gz\.age$/;

/**
 * `CLUSTER_backup_TIMESTAMP.tar.gz.age`, where the timestamp has Go's layout `2006-01-02T150405Z0700` in UTC, as
 * `bmctl` names its files: `lab_backup_2026-11-22T141500Z.tar.gz.age`.
 *
 * @public
 */
export function archiveName(cluster: string, at: Date): string {
  const timestamp = at
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/:/g, '');
  return `${cluster}_backup_${timestamp}.tar.gz.age`;
}

/**
 * The parts of an archive's name; `undefined` when it is none.
 *
 * @public
 */
export function parseArchiveName(
  name: string,
): { cluster: string; at: Date } | undefined {
  const match = NAME.exec(name);
  if (!match) {
    return undefined;
  }
  const [, cluster, year, month, day, hour, minute, second] = match;
  const at = new Date(
    `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`,
  );
  return Number.isNaN(at.getTime()) ? undefined : { cluster, at };
}
