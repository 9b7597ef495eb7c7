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
  const config = parse(readFileSync(path, 'utf8'));
  const entry = (list: any[], name: string) => {
    const found = list?.find(candidate => candidate.name === name);
    if (!found) throw new Error(`${path} has no entry named ${name}`);
    return found;
  };
  const { context } = entry(config.contexts, config['current-context']);
  const { cluster } = entry(config.clusters, context.cluster);
  const { user } = entry(config.users, context.user);
  const content = (holder: any, field: string) => {
    const inline = holder[`${field}-data`];
    return inline
      ? Buffer.from(inline, 'base64')
      : readFileSync(resolve(dirname(path), holder[field]));
  };
  return {
    server: cluster.server,
    ca: content(cluster, 'certificate-authority'),
    certificate: content(user, 'client-certificate'),
    key: content(user, 'client-key'),
  };
}
