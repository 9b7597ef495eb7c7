import { KeyObject, sign, verify } from 'node:crypto';
import { encrypterFor } from './encryption';

/** How long a person may take to fetch the identity from where it is kept. */
const ANSWERED_WITHIN_MS = 15 * 60 * 1000;

/** Who is asked, and until when the answer counts. @public */
export interface Challenge {
  /** The age recipient whose identity is to be shown to exist. */
  recipient: string;
  /** Who answers: nobody else's answer is one. */
  by: string;
  /** ISO 8601. */
  expiresAt: string;
}

/**
 * Seals what only the holder of a recipient's identity can read, and what nobody can forge: our signature over the
 * challenge itself. So nothing needs to be kept until it is answered.
 *
 * @returns `sealed`, an age file in base64; in it is the answer
 * @throws ClusterBackupError `recipient-invalid`
 * @public
 */
export async function challengeRecipient(
  recipient: string,
  by: string,
  signingKey: KeyObject,
): Promise<Challenge & { sealed: string }> {
  const expiresAt = new Date(Date.now() + ANSWERED_WITHIN_MS).toISOString();
  const challenge = { recipient, by, expiresAt };
  const answer = sign(null, messageOf(challenge), signingKey);
  const sealed = await encrypterFor([recipient]).encrypt(
    answer.toString('base64'),
  );
  return { ...challenge, sealed: Buffer.from(sealed).toString('base64') };
}

/** Whether an answer is that of a challenge, and in time. @public */
export function isAnswer(
  challenge: Challenge,
  answer: string,
  signingKey: KeyObject,
): boolean {
  if (!(Date.parse(challenge.expiresAt) > Date.now())) return false;
  const signature = Buffer.from(answer, 'base64');
  // Ed25519 signatures are checked with the private key's own public half.
  return verify(null, messageOf(challenge), signingKey, signature);
}

function messageOf({ recipient, by, expiresAt }: Challenge): Buffer {
  return Buffer.from(
    `cluster-backup recipient challenge v1\n${recipient}\n${by}\n${expiresAt}\n`,
  );
}
