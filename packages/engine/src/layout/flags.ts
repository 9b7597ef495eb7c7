/** The values of each flag in the order given; a flag without a value holds `true`. */
export type Flags = ReadonlyMap<string, readonly string[]>;

/**
 * Reads command-line flags as Kubernetes and etcd do: `--name=value`, `--name value`, `-name=value`, `--switch`.
 */
export function parseFlags(words: readonly string[]): Flags {
  const flags = new Map<string, string[]>();
  for (let i = 0; i < words.length; i++) {
    const match = /^--?([A-Za-z][\w.-]*)(?:=([\s\S]*))?$/.exec(words[i]);
    if (!match) {
      continue;
    }
    const [, name, attached] = match;
    let value = attached;
    if (value === undefined) {
      const next = words[i + 1];
      if (next !== undefined && !next.startsWith('-')) {
        value = next;
        i++;
      } else {
        value = 'true';
      }
    }
    flags.set(name, [...(flags.get(name) ?? []), value]);
  }
  return flags;
}

/** The value that counts: the last one given. */
export function flag(flags: Flags, name: string): string | undefined {
  return flags.get(name)?.at(-1);
}

/** A flag that holds a comma-separated list. */
export function flagList(flags: Flags, name: string): string[] {
  return (flag(flags, name) ?? '')
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '');
}
