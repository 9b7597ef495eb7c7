import { readArchive } from '@cluster-backup/engine';
import { ArchiveOptions, withArchive } from '../archiveSource';
import { configurationFor } from '../clusterOptions';
import { conclude, mib, OutputOptions, REFUSED } from '../terminal';

/** Reads an archive from its first byte to its last; it ends well only when everything in it is proven. */
export function verify(
  options: ArchiveOptions & OutputOptions & { config?: string },
) {
  return conclude(options, async signal =>
    withArchive(
      configurationFor(options),
      options,
      signal,
      async ({ open, key, sha256, trustedSigners }) => {
        const proof = await readArchive(await open(signal), {
          ...key,
          sha256,
          signal,
        });
        const { signer, ciphertext, facts } = proof;
        const { cluster, createdAt } = proof.description;
        const signerTrusted = trustedSigners.includes(signer);
        if (!signerTrusted) {
          process.stderr.write(
            `Origin not proven: it is whole, but ${signer}, who signed it, is not trusted here (--signer).\n`,
          );
          if (trustedSigners.length) process.exitCode = REFUSED;
        }
        return {
          words: `It is whole: ${cluster.name} at revision ${
            facts.revision
          }, backed up ${createdAt}, ${mib(ciphertext.size)}.
Signed by ${signer}
SHA-256 ${ciphertext.sha256}
`,
          facts: {
            cluster,
            createdAt,
            revision: facts.revision,
            sha256: ciphertext.sha256,
            signer,
            signerTrusted,
          },
        };
      },
    ),
  );
}
