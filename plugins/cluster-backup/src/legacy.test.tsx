import { catalogApiRef, EntityProvider } from '@backstage/plugin-catalog-react';
import { catalogApiMock } from '@backstage/plugin-catalog-react/testUtils';
import { permissionApiRef } from '@backstage/plugin-permission-react';
import {
  MockPermissionApi,
  registerMswTestHooks,
  renderInTestApp,
  TestApiProvider,
} from '@backstage/test-utils';
import { ClusterBackupApi } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { screen } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import { Route, Routes } from 'react-router-dom';
import { aBackup } from './__fixtures__/aBackup';
import { aClusterEntity } from './__fixtures__/aClusterEntity';
import { clusterBackupApiRef } from './api/clusterBackupApiRef';
import {
  clusterBackupPlugin,
  EntityClusterBackupContent,
  isClusterBackupAvailable,
} from './legacy';

const PORTAL = 'http://localhost:7007/api';

const server = setupServer();
registerMswTestHooks(server);

it('has the same tab for apps of the old frontend system', async () => {
  expect(isClusterBackupAvailable(aClusterEntity)).toBe(true);
  expect(
    isClusterBackupAvailable({ ...aClusterEntity, kind: 'Component' }),
  ).toBe(false);

  const cluster = `${PORTAL}/cluster-backup/clusters/by-entity/resource/default/production`;
  server.use(
    http.get(cluster, () =>
      HttpResponse.json({
        clusterRef: 'resource:default/production',
        name: 'production',
        stores: ['local'],
        recipients: [],
        lastBackup: aBackup(),
        recent: [],
        ownership: { owners: [], isPinned: false },
        needsSecondPerson: false,
        restoreRequests: [],
        protection: { level: 'protected', reasons: [] },
        allowed: {
          create: { allowed: true },
          restore: { allowed: true },
          approve: { allowed: true },
          approveAlone: { allowed: false },
          manage: { allowed: true },
          reveal: { allowed: true },
        },
      }),
    ),
    http.get(`${cluster}/backups`, () =>
      HttpResponse.json({ backups: [aBackup()] }),
    ),
  );
  const [apiFactory] = clusterBackupPlugin.getApis();
  const api = apiFactory.factory({
    discoveryApi: { getBaseUrl: async (id: string) => `${PORTAL}/${id}` },
    fetchApi: { fetch },
  });
  await renderInTestApp(
    <Routes>
      <Route
        path="/"
        element={
          <TestApiProvider
            apis={[
              [permissionApiRef, new MockPermissionApi()],
              [catalogApiRef, catalogApiMock()],
              [clusterBackupApiRef, api as ClusterBackupApi],
            ]}
          >
            <EntityProvider entity={aClusterEntity}>
              <EntityClusterBackupContent />
            </EntityProvider>
          </TestApiProvider>
        }
      />
    </Routes>,
  );
  expect(await screen.findByText(/^Last good backup/)).toBeVisible();
  expect(screen.getByRole('button', { name: 'Back up now' })).toBeEnabled();
  expect(
    await screen.findByRole('button', { name: /^Restore the backup of/ }),
  ).toBeEnabled();
});
