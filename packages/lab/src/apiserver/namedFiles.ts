import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** Flags whose values are paths of files to read. */
const namesFile =
  /(-file|-cafile|-certfile|-keyfile|-provider-config|kubeconfig|^kubelet-client-certificate|^kubelet-client-key)$/;

/**
 * Reads every file that a program's flags name, as the real ones do before they serve.
 *
 * @throws Error for one that is missing or not to be read by this user
 */
export function readNamedFiles(flags: Map<string, string>): void {
  for (const [name, path] of flags) {
    if (!namesFile.test(name)) continue;
    const text = read(name, path);
    if (name !== 'admission-control-config-file') continue;
    for (const plugin of parse(text).plugins ?? []) {
      if (plugin.path) read(name, plugin.path);
    }
  }
}

function read(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`--${flag}: ${(error as Error).message}`);
  }
}
