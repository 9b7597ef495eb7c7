import { RootConfigService } from '@backstage/backend-plugin-api';
import { configurationWrong } from '@cluster-backup/engine';

/** How many backups, checks and verifications run at once, in all replicas together. */
export interface Limits {
  portal: number;
  /** Of those that write to one store, or read it. */
  store: number;
  /** Of those whose clusters one cluster manages. */
  managingCluster: number;
}

export const DEFAULT_LIMITS: Limits = {
  portal: 8,
  store: 4,
  managingCluster: 2,
};

/** @throws ClusterBackupError `configuration-wrong` */
export function readLimits(config: RootConfigService): Limits {
  const section = config.getOptionalConfig('clusterBackup.limits');
  const limits = { ...DEFAULT_LIMITS };
  for (const name of section?.keys() ?? []) {
    if (!(name in DEFAULT_LIMITS)) {
      throw configurationWrong(
        'of the portal',
        `limits has ${name}, which nobody knows; it can have: ${Object.keys(
          DEFAULT_LIMITS,
        ).join(', ')}`,
      );
    }
    const most = section!.getNumber(name);
    if (!Number.isInteger(most) || most < 1) {
      throw configurationWrong(
        'of the portal',
        `limits.${name} ${most} is no number of 1 or more`,
      );
    }
    limits[name as keyof Limits] = most;
  }
  return limits;
}
