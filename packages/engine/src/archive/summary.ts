import { KeyObject } from 'node:crypto';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { canonicalJson } from './canonicalJson';
import { factsShape, signatureFields, SnapshotFacts } from './checksums';
import { description, Description, refuseNewerFormat } from './description';
import {
  integer,
  object,
  oneOf,
  parseJson,
  ShapeProblem,
  text,
} from './jsonShape';
import { DetachedSignature, signMessage, signerOf } from './signing';

/**
 * What an archive is, beside it in clear: `FILE.summary.json`. Written last, it commits the backup; it serves listing,
 * and carries the digest of the file itself.
 *
 * @public
 */
export interface ArchiveSummary extends DetachedSignature {
  formatVersion: 1;
  description: Description;
  facts: SnapshotFacts;
  /** The archive's file as stored; `sha256` in hex. */
  ciphertext: { size: number; sha256: string };
  /** Fingerprint of the key that signed the archive and this summary. */
  signer: string;
}

/** Larger than any summary of a real cluster. */
const MAX_SUMMARY = 16 * 1024 * 1024;

const summaryShape = object({
  formatVersion: oneOf(1),
  description,
  facts: factsShape,
  ciphertext: object({
    size: integer(1, Number.MAX_SAFE_INTEGER),
    sha256: text({ pattern: /^[0-9a-f]{64}$/, what: 'SHA-256 in hex' }),
  }),
  signer: text({ max: 100 }),
  ...signatureFields,
});

/** @public */
export function summaryName(archive: string): string {
  return `${archive}.summary.json`;
}

/** The bytes to store. @public */
export function encodeSummary(summary: ArchiveSummary): Buffer {
  return Buffer.from(`${JSON.stringify(summary, null, 2)}\n`);
}

export function signSummary(
  content: Omit<ArchiveSummary, keyof DetachedSignature>,
  signingKey: KeyObject,
): ArchiveSummary {
  return { ...content, ...signMessage(summaryMessage(content), signingKey) };
}

/**
 * Reads a summary and checks its signature. Without `trustedSigners` the signature only proves that the summary is
 * whole, and with whose key it was signed.
 *
 * @throws ClusterBackupError `summary-invalid`, `summary-signature-invalid`, `summary-signer-untrusted`,
 * `archive-newer-format`
 * @public
 */
export function verifySummary(
  bytes: Buffer,
  trustedSigners?: string[],
): ArchiveSummary {
  const { summary, message } = parseSummary(bytes);
  const signer = signerOf(message, summary);
  if (signer === undefined || signer !== summary.signer) {
    throw new ClusterBackupError({
      code: 'summary-signature-invalid',
      message: `The summary of the backup of ${summary.description.cluster.name} from ${summary.description.createdAt} was altered: its signature does not match.`,
      state: NOTHING_CHANGED,
      remedy:
        'Trust neither the summary nor the archive beside it. Use another copy or another backup.',
      details: { signer: summary.signer },
    });
  }
  if (trustedSigners && !trustedSigners.includes(signer)) {
    throw new ClusterBackupError({
      code: 'summary-signer-untrusted',
      message: `The backup of ${summary.description.cluster.name} from ${summary.description.createdAt} is signed with a key that is not trusted here: ${signer}.`,
      state: NOTHING_CHANGED,
      remedy:
        'Find out whose key it is. When it is that of an installation you trust, add its fingerprint to the trusted signers.',
      details: { signer, trustedSigners },
    });
  }
  return summary;
}

/** The summary, and what its signature is over: unknown members too. */
function parseSummary(bytes: Buffer): {
  summary: ArchiveSummary;
  message: Buffer;
} {
  try {
    if (bytes.length > MAX_SUMMARY) {
      throw new ShapeProblem(`it has more than ${MAX_SUMMARY} bytes`);
    }
    refuseNewerFormat(bytes, 'The summary');
    const summary = parseJson(bytes, summaryShape);
    const {
      signature: _,
      publicKey: __,
      algorithm: ___,
      ...signed
    } = JSON.parse(bytes.toString('utf8'));
    return { summary, message: summaryMessage(signed) };
  } catch (error) {
    if (!(error instanceof ShapeProblem)) {
      throw error;
    }
    throw new ClusterBackupError({
      code: 'summary-invalid',
      message: `This is no summary of an archive: ${error.message}.`,
      state: NOTHING_CHANGED,
      remedy:
        'Use another copy of it. The archive can be opened without its summary; then nothing vouches for the file as a whole.',
    });
  }
}

function summaryMessage(content: object): Buffer {
  return Buffer.from(`cluster-backup summary v1\n${canonicalJson(content)}`);
}
