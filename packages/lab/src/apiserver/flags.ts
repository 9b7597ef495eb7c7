/**
 * Reads `--name=value` and `--name value`; unknown flags are taken as they
 * are, so that the manifests of the real programs serve.
 */
export function readFlags(argv: string[]): Map<string, string> {
  const flags = new Map<string, string>();
  for (let index = 0; index < argv.length; index += 1) {
    const match = /^--([^=]+)(?:=([\s\S]*))?$/.exec(argv[index]);
    if (!match) continue;
    const [, name, value] = match;
    const next = argv[index + 1];
    if (value !== undefined) {
      flags.set(name, value);
    } else if (next !== undefined && !next.startsWith('--')) {
      flags.set(name, next);
      index += 1;
    } else {
      flags.set(name, 'true');
    }
  }
  return flags;
}

/** @returns the flag's value; fails when it is not given */
export function requiredFlag(flags: Map<string, string>, name: string): string {
  const value = flags.get(name);
  if (!value) throw new Error(`--${name} is required`);
  return value;
}

/** `--etcd-servers-overrides`: what is kept elsewhere, as `GROUP/RESOURCE`, and where. */
export function etcdOverrides(
  flags: Map<string, string>,
): Array<{ resource: string; server: string }> {
  return (flags.get('etcd-servers-overrides') ?? '')
    .split(',')
    .filter(Boolean)
    .map(override => {
      const [resource, servers = ''] = override.split('#');
      return { resource, server: servers.split(';')[0] };
    });
}
