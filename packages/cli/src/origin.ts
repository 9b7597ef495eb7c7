import {
  ArchiveSource,
  ClusterBackupError,
  NOTHING_CHANGED,
  readArchive,
} from '@cluster-backup/engine';
import { NamedArchive } from './archiveSource';

/**
 * An archive to restore from. Where no signer is trusted, whoever knows the recipients could have made it, summary
 * included: then a person confirms its digest, from somewhere else than where the archive lies.
 *
 * @throws ClusterBackupError `origin-not-proven`, `digest-not-confirmed`
 */
export async function confirmedArchive(
  archive: NamedArchive,
  digest: string | undefined,
  signal: AbortSignal,
): Promise<ArchiveSource> {
  const isTrusting = archive.trustedSigners.length > 0;
  if (!digest) {
    if (isTrusting) return archive;
    throw originNotProven(await originOf(archive, signal));
  }
  const confirmed = digest.toLowerCase();
  if (archive.sha256 && archive.sha256 !== confirmed) {
    throw new ClusterBackupError({
      code: 'digest-not-confirmed',
      message: `The archive's digest is ${archive.sha256}, and ${confirmed} was confirmed.`,
      state: NOTHING_CHANGED,
      remedy: 'Find out which archive it was that you wanted to restore.',
      details: { sha256: archive.sha256, confirmed },
    });
  }
  return { ...archive, sha256: confirmed, digestConfirmed: !isTrusting };
}

/** Whose an archive says it is, and its digest: from its summary, or from the whole of it. */
async function originOf(archive: NamedArchive, signal: AbortSignal) {
  const { summary } = archive;
  const { description, signer, ciphertext } =
    summary ??
    (await readArchive(await archive.open(signal), { ...archive.key, signal }));
  return { description, signer, sha256: ciphertext.sha256 };
}

function originNotProven({
  description: { cluster, createdAt },
  signer,
  sha256,
}: Awaited<ReturnType<typeof originOf>>) {
  return new ClusterBackupError({
    code: 'origin-not-proven',
    message: `Origin not proven: this backup of ${cluster.name} from ${createdAt} is signed by ${signer}, and no signer is trusted here. Anybody who knows its recipients could have made it. Its digest is ${sha256}.`,
    state: NOTHING_CHANGED,
    remedy: `If you know that fingerprint, name it: --signer ${signer}. Otherwise compare the digest with what the portal, a log or a note of yours says, not with a file beside the archive, and confirm it: --confirm-digest ${sha256}.`,
    details: { signer, sha256, cluster: cluster.name, createdAt },
  });
}
