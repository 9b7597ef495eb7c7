import { Backup } from './types';

/**
 * The command that restores a backup where there is no portal: what it names are the archive, the identity and the key
 * to the machines, in the folder where it is run. Of Google Distributed Cloud the key to the machines is in the archive.
 *
 * @param clusterName - as the archive says it
 * @returns what belongs on one line, together
 * @public
 */
export function restoreCommand(
  clusterName: string,
  backup: Pick<Backup, 'key' | 'isEncrypted' | 'signer' | 'gdc'>,
): string[] {
  const { key, isEncrypted, signer, gdc } = backup;
  return [
    `node cluster-backup.cjs restore -c ${word(clusterName)}`,
    `--backup-file ${word(key.split('/').at(-1)!)}`,
    ...(isEncrypted ? ['--identity identity.txt'] : []),
    ...(gdc ? [] : ['--ssh-key ssh-key']),
    `--signer ${word(signer)}`,
  ];
}

/** As a POSIX shell takes it for one word; one that needs no quotes has none, so that people can read it. */
function word(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text)
    ? text
    : `'${text.replaceAll("'", `'\\''`)}'`;
}
