import { readArchive } from '@cluster-backup/engine';
import { ArchiveOptions, archiveSource } from '../archiveSource';
import { readConfigurationFileIfAny } from '../configuration';
import { conclude, REFUSED } from '../terminal';

/** Reads an archive from its first byte to its last; it ends well only when everything in it is proven. */
export function verify(options: ArchiveOptions & { config: string }) {
  return conclude(async signal => {
    const configuration = readConfigurationFileIfAny(options.config);
    const archive = await archiveSource(configuration, options);
    const proof = await readArchive(await archive.open(signal), {
      ...archive.key,
      sha256: archive.sha256,
      signal,
    });
    const signerTrusted = archive.trustedSigners.includes(proof.signer);
    if (!signerTrusted) {
      process.stderr.write(
        `Origin not proven: it is whole, but ${proof.signer}, who signed it, is not trusted here (--signer).\n`,
      );
      if (archive.trustedSigners.length) process.exitCode = REFUSED;
    }
    return {
      cluster: proof.description.cluster,
      createdAt: proof.description.createdAt,
      revision: proof.facts.revision,
      sha256: proof.ciphertext.sha256,
      signer: proof.signer,
      signerTrusted,
    };
  });
}
