import {
  Decrypter,
  Encrypter,
  generateIdentity,
  identityToRecipient,
} from 'age-encryption';

/** An identity, and the header and key of an archive that it opens. */
export async function anArchive() {
  const identity = await generateIdentity();
  const recipient = await identityToRecipient(identity);
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  const archive = await encrypter.encrypt('what was backed up');
  const header = archive.slice(0, endOfHeader(archive));
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const fileKey = await decrypter.decryptHeader(header);
  return {
    identity,
    recipient,
    header,
    fileKey: btoa(String.fromCharCode(...fileKey)),
  };
}

/** The header ends with the line of its MAC: `--- …`. */
function endOfHeader(archive: Uint8Array): number {
  const text = String.fromCharCode(...archive);
  return text.indexOf('\n', text.indexOf('\n---') + 1) + 1;
}
