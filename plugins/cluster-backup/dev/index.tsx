import { createDevApp } from '@backstage/frontend-dev-utils';
import {
  ApiBlueprint,
  createFrontendModule,
} from '@backstage/frontend-plugin-api';
import catalogPlugin from '@backstage/plugin-catalog/alpha';
import { catalogApiRef } from '@backstage/plugin-catalog-react';
import { InMemoryCatalogClient } from '@backstage/catalog-client/testUtils';
import clusterBackupPlugin, { clusterBackupApiRef } from '../src';
import { clusterBackup, entities } from './clusters';

// In the browser's console: clusterBackup.refusal = new TypeError('Failed to fetch'), and undefined again.
Object.assign(window, { clusterBackup });

/**
 * Every state of the tab, one cluster for each:
 * /catalog/default/resource/production/backup, …/unprotected/…, …/running/… and so on.
 */
createDevApp({
  features: [
    catalogPlugin,
    clusterBackupPlugin,
    createFrontendModule({
      pluginId: 'catalog',
      extensions: [
        ApiBlueprint.make({
          params: defineParams =>
            defineParams({
              api: catalogApiRef,
              deps: {},
              factory: () => new InMemoryCatalogClient({ entities }),
            }),
        }),
      ],
    }),
    createFrontendModule({
      pluginId: 'cluster-backup',
      extensions: [
        ApiBlueprint.make({
          params: defineParams =>
            defineParams({
              api: clusterBackupApiRef,
              deps: {},
              factory: () => clusterBackup,
            }),
        }),
      ],
    }),
  ],
});
