import { Decrypter } from 'age-encryption';

/** What a browser does with an archive's header and a person's identity: the key of this one archive, base64. */
export async function fileKeyOf(
  header: Uint8Array,
  identity: string,
): Promise<string> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity.trim());
  const key = await decrypter.decryptHeader(header);
  return Buffer.from(key).toString('base64');
}
