import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Commands of docs/archive-format.md, which a test follows to the letter. They are told KEY and FILE. */
export interface Page {
  /** By the end of an archive's name. */
  open: Record<string, string>;
  compare: string;
  checkSignature: string;
  fingerprint: string;
  checkSummary: string;
}

export function readPage(): Page {
  const path = join(__dirname, '../../docs/archive-format.md');
  const text = readFileSync(path, 'utf8');
  const [open, , compare, checkSignature, fingerprint, checkSummary] = [
    ...text.matchAll(/^```sh\n(.*?)^```/gms),
  ].map(([, block]) => block);
  return {
    open: Object.fromEntries(
      open
        .trim()
        .split('\n')
        .map(line => {
          const [command, end] = line.split(/ +# /);
          return [end, command];
        }),
    ),
    compare,
    checkSignature,
    fingerprint,
    checkSummary,
  };
}
