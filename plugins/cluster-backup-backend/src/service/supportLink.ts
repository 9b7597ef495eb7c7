import { RootConfigService } from '@backstage/backend-plugin-api';
import { ClusterOverview } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { configurationWrong } from '@cluster-backup/engine';

const SCHEMES = ['https:', 'http:', 'mailto:'];

/**
 * Where people find help with a restore, as it is configured.
 *
 * @throws ClusterBackupError `configuration-wrong`
 */
export function supportLink(
  config: RootConfigService,
): ClusterOverview['supportLink'] {
  const section = config.getOptionalConfig('clusterBackup.supportLink');
  if (!section) return undefined;
  const url = section.getString('url');
  // A browser would run what javascript: says.
  if (!URL.canParse(url) || !SCHEMES.includes(new URL(url).protocol)) {
    throw configurationWrong(
      'of the portal',
      `supportLink.url ${url} is no address of a page or for mail`,
    );
  }
  return { url, title: section.getOptionalString('title') };
}
