import { decrypterWith, whyNotOpened } from './decrypterWith';

/**
 * Opens what was sealed for a recipient.
 *
 * @param sealed - an age file, base64
 * @param identities - the text of an identity file
 */
export async function answerTo(
  sealed: string,
  identities: string,
): Promise<string> {
  const decrypter = decrypterWith(identities);
  const bytes = Uint8Array.from(atob(sealed), char => char.charCodeAt(0));
  return decrypter.decrypt(bytes, 'text').catch(error => {
    throw whyNotOpened(error);
  });
}
