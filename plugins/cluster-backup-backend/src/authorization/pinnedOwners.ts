import { Config } from '@backstage/config';
import { parseEntityRef, stringifyEntityRef } from '@backstage/catalog-model';
import { configurationWrong } from '@cluster-backup/engine';

/**
 * Owners that app-config says clusters have, by the clusters' entities; then it does not count what the catalog says.
 *
 * @throws ClusterBackupError `configuration-wrong`
 */
export function pinnedOwners(config: Config): Map<string, string[]> {
  const clusters =
    config.getOptionalConfigArray('clusterBackup.clusters') ?? [];
  return new Map(
    clusters.flatMap(cluster => {
      const owners = cluster.getOptionalStringArray('owners');
      if (!owners) return [];
      const name = cluster.getString('name');
      const entityRef =
        cluster.getOptionalString('entityRef') ?? `resource:default/${name}`;
      if (!owners.length) throw wrong(name, 'owners is empty');
      return [
        [normalized(name, entityRef), owners.map(o => normalized(name, o))],
      ];
    }),
  );
}

function normalized(cluster: string, ref: string): string {
  try {
    return stringifyEntityRef(
      parseEntityRef(ref, { defaultNamespace: 'default' }),
    );
  } catch (error) {
    throw wrong(cluster, (error as Error).message);
  }
}

function wrong(cluster: string, why: string) {
  return configurationWrong(`of cluster ${cluster}`, why);
}
