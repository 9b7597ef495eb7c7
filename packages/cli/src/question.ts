import { createInterface } from 'node:readline/promises';

/** Whether a person is there who can answer. */
export function canAsk(): boolean {
  return Boolean(process.stdin.isTTY && process.stderr.isTTY);
}

/** Asks on standard error; results alone go to standard output. */
export async function question(text: string): Promise<string> {
  const terminal = createInterface({
    input: process.stdin,
    output: process.stderr,
  });
  try {
    return (await terminal.question(text)).trim();
  } finally {
    terminal.close();
  }
}
