import {
  ArchiveSource,
  ClusterBackupError,
  Description,
  NOTHING_CHANGED,
  readArchive,
} from '@cluster-backup/engine';
import { NamedArchive } from './archiveSource';
import { canAsk, question } from './question';

/** What a person says about an archive that is to be put back. */
export interface OriginOptions {
  confirmDigest?: string;
}

interface Origin {
  description: Description;
  signer: string;
  sha256: string;
}

const DIGITS = 12;

/**
 * An archive to restore from. Where no signer is trusted, whoever knows the recipients could have made it, summary
 * included: then a person confirms its digest, from somewhere else than where the archive lies.
 *
 * @throws ClusterBackupError `origin-not-proven`, `digest-not-confirmed`
 */
export async function confirmedArchive(
  archive: NamedArchive,
  { confirmDigest }: OriginOptions,
  signal: AbortSignal,
): Promise<ArchiveSource> {
  const isTrusting = archive.trustedSigners.length > 0;
  if (!confirmDigest) {
    if (isTrusting) return archive;
    const { sha256 } = await confirmedOrigin(await originOf(archive, signal));
    return { ...archive, sha256, digestConfirmed: true };
  }
  const confirmed = confirmDigest.toLowerCase();
  if (archive.sha256 && archive.sha256 !== confirmed) {
    throw otherDigest(archive.sha256, confirmed);
  }
  return { ...archive, sha256: confirmed, digestConfirmed: !isTrusting };
}

/** Whose an archive says it is, and its digest: from its summary, or from the whole of it. */
async function originOf(
  archive: NamedArchive,
  signal: AbortSignal,
): Promise<Origin> {
  const { summary } = archive;
  const { description, signer, ciphertext } =
    summary ??
    (await readArchive(await archive.open(signal), { ...archive.key, signal }));
  return { description, signer, sha256: ciphertext.sha256 };
}

/** A person in front of a terminal is asked. To type what is shown proves nothing; to know it does. */
async function confirmedOrigin(origin: Origin): Promise<Origin> {
  const { description, signer, sha256 } = origin;
  if (!canAsk()) throw originNotProven(origin);
  const typed = await question(
    `Origin not proven: this backup of ${description.cluster.name} from ${description.createdAt} is signed by ${signer}, and no signer is trusted here. Anybody who knows its recipients could have made it.
Type the first ${DIGITS} characters of its SHA-256, from the portal, a log or a note of yours: `,
  );
  const given = typed.toLowerCase();
  if (given.length >= DIGITS && sha256.startsWith(given)) return origin;
  throw otherDigest(sha256, given);
}

function otherDigest(sha256: string, confirmed: string) {
  return new ClusterBackupError({
    code: 'digest-not-confirmed',
    message: `The archive's digest is ${sha256}, and ${
      confirmed || 'nothing'
    } was confirmed.`,
    state: NOTHING_CHANGED,
    remedy: 'Find out which archive it was that you wanted to restore.',
    details: { sha256, confirmed },
  });
}

function originNotProven({ description, signer, sha256 }: Origin) {
  const { cluster, createdAt } = description;
  return new ClusterBackupError({
    code: 'origin-not-proven',
    message: `Origin not proven: this backup of ${cluster.name} from ${createdAt} is signed by ${signer}, and no signer is trusted here. Anybody who knows its recipients could have made it. Its digest is ${sha256}.`,
    state: NOTHING_CHANGED,
    remedy: `If you know that fingerprint, name it: --signer ${signer}. Otherwise compare the digest with what the portal, a log or a note of yours says, not with a file beside the archive, and confirm it: --confirm-digest ${sha256}.`,
    details: { signer, sha256, cluster: cluster.name, createdAt },
  });
}
