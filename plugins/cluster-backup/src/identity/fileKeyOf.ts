import { decrypterWith, whyNotOpened } from './decrypterWith';

/**
 * Opens an archive's age header.
 *
 * @param identities - the text of an identity file
 * @returns the 16-byte file key, which opens this one archive and no other, as base64
 */
export async function fileKeyOf(
  header: Uint8Array,
  identities: string,
): Promise<string> {
  const decrypter = decrypterWith(identities);
  const fileKey = await decrypter.decryptHeader(header).catch(error => {
    throw whyNotOpened(error);
  });
  try {
    return btoa(String.fromCharCode(...fileKey));
  } finally {
    fileKey.fill(0);
  }
}
