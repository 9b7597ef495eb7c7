import { createHash } from 'node:crypto';
import { parse } from 'yaml';

interface EncryptionConfiguration {
  resources?: Array<{
    providers?: Array<
      Record<
        string,
        {
          name?: string;
          endpoint?: string;
          keys?: Array<{ name?: string; secret?: string }>;
        } | null
      >
    >;
  }>;
}

/**
 * What each key of an EncryptionConfiguration is known by: a hash of provider, name and key, since a stored object
 * names the first two and is read with the third (Kubernetes, "Encrypting Confidential Data at Rest"). A key management
 * service is known by its name and endpoint. What cannot be read has none.
 */
export function encryptionKeysIn(content: Buffer | undefined): string[] {
  try {
    const { resources = [] } = parse(
      content?.toString('utf8') || '{}',
    ) as EncryptionConfiguration;
    const keys = resources
      .flatMap(({ providers = [] }) => providers)
      .flatMap(provider => Object.entries(provider))
      .filter(([name]) => name !== 'identity')
      .flatMap(([provider, settings]) => {
        const { name = '', endpoint = '', keys: own = [] } = settings ?? {};
        return own.length
          ? own.map(key => [provider, key.name, key.secret])
          : [[provider, name, endpoint]];
      })
      .map(key =>
        createHash('sha256').update(JSON.stringify(key)).digest('hex'),
      );
    return [...new Set(keys)].sort();
  } catch {
    return [];
  }
}
