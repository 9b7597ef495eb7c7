import { createIdentityFile } from '@cluster-backup/engine';
import { conclude, OutputOptions } from '../terminal';

/** Makes an identity, and tells the recipient that belongs to it. */
export function keygen(file: string, options: OutputOptions) {
  return conclude(options, async () => {
    const recipient = await createIdentityFile(file);
    process.stderr.write(
      `${file} opens every archive that is encrypted to ${recipient}. Keep it away from this machine and from the stores.\n`,
    );
    return { words: `${recipient}\n`, facts: { recipient, file } };
  });
}
