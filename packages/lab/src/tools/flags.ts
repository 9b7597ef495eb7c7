import { ToolFailure } from './ToolFailure';

/** Flags of a command line by their long name, and what is left. */
export interface Parsed {
  flags: Record<string, string[]>;
  words: string[];
}

/** A flag's long name, and whether a value follows it. */
export type FlagTable = Record<string, { name: string; value: boolean }>;

/**
 * Reads flags as Go's command-line libraries do: `-f V`, `-f=V`, `--flag V`, `--flag=V`, `--` ends them.
 *
 * @param stopAtWord - Whether the first word ends the flags, as before a subcommand.
 */
export function parseFlags(
  tool: string,
  argv: string[],
  table: FlagTable,
  stopAtWord = false,
): Parsed {
  const flags: Record<string, string[]> = {};
  const words: string[] = [];
  const rest = [...argv];
  while (rest.length) {
    const word = rest.shift()!;
    if (word === '--') {
      words.push(...rest);
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      words.push(word);
      if (stopAtWord) {
        words.push(...rest);
        break;
      }
      continue;
    }
    const [key, ...given] = word.split('=');
    const flag = table[key];
    if (!flag) {
      throw new ToolFailure(
        `${tool}: flag provided but not defined: ${key.replace(/^-+/, '-')}`,
      );
    }
    let value = 'true';
    if (given.length) value = given.join('=');
    else if (flag.value) {
      if (!rest.length)
        throw new ToolFailure(`${tool}: flag needs an argument: ${key}`);
      value = rest.shift()!;
    }
    (flags[flag.name] ??= []).push(value);
  }
  return { flags, words };
}

/** Columns as wide as their widest cell and `gap` more. */
export function columns(rows: string[][], gap: number): string {
  const widths = rows[0].map((_, index) =>
    Math.max(...rows.map(row => row[index].length)),
  );
  return rows
    .map(row =>
      row
        .map((cell, index) =>
          index === row.length - 1 ? cell : cell.padEnd(widths[index] + gap),
        )
        .join('')
        .trimEnd(),
    )
    .map(line => `${line}\n`)
    .join('');
}
