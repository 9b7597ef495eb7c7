import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';

/** What a kubeconfig's current context says about reaching the API; PEM. */
export interface ApiAccess {
  server: string;
  ca: Buffer;
  certificate: Buffer;
  key: Buffer;
}

/** Reads a kubeconfig with certificates inline or in files. */
export function readKubeconfig(path: string): ApiAccess {
  return parseKubeconfig(readFileSync(path, 'utf8'), dirname(path));
}

/** @param directory - where files are that are not named by a whole path */
export function parseKubeconfig(text: string, directory: string): ApiAccess {
  const config = parse(text);
  const entry = (list: any[], name: string) => {
    const found = list?.find(candidate => candidate.name === name);
    if (!found) throw new Error(`the kubeconfig has no entry named ${name}`);
    return found;
  };
  const { context } = entry(config.contexts, config['current-context']);
  const { cluster } = entry(config.clusters, context.cluster);
  const { user } = entry(config.users, context.user);
  const content = (holder: any, field: string) => {
    const inline = holder[`${field}-data`];
    return inline
      ? Buffer.from(inline, 'base64')
      : readFileSync(resolve(directory, holder[field]));
  };
  return {
    server: cluster.server,
    ca: content(cluster, 'certificate-authority'),
    certificate: content(user, 'client-certificate'),
    key: content(user, 'client-key'),
  };
}
