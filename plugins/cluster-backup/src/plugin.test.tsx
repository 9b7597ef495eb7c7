import { Entity } from '@backstage/catalog-model';
import {
  registerMswTestHooks,
  renderTestApp,
} from '@backstage/frontend-test-utils';
import { createTestEntityPage } from '@backstage/plugin-catalog-react/testUtils';
import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import clusterBackupPlugin from '.';
import { aBackup } from './__fixtures__/aBackup';
import { aClusterEntity } from './__fixtures__/aClusterEntity';

const BASE = 'http://localhost:7007/api/cluster-backup';
const CLUSTER = `${BASE}/clusters/by-entity/:kind/:namespace/:name`;

const server = setupServer();
registerMswTestHooks(server);

beforeEach(() => {
  server.use(
    http.get(CLUSTER, ({ params }) =>
      HttpResponse.json({
        clusterRef: `${params.kind}:${params.namespace}/${params.name}`,
        name: params.name,
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
    http.get(`${CLUSTER}/backups`, () =>
      HttpResponse.json({ backups: [aBackup()] }),
    ),
  );
});

function open(entity: Entity) {
  renderTestApp({
    extensions: [createTestEntityPage({ entity })],
    features: [clusterBackupPlugin],
  });
}

describe('the tab', () => {
  it.each([
    ['Resource', 'kubernetes-cluster'],
    ['Resource', 'Kubernetes-Cluster'],
    ['Cluster', undefined],
  ])('is on %s of type %s', async (kind, type) => {
    open({ ...aClusterEntity, kind, spec: { type } });
    expect(await screen.findByText(/^Last good backup/)).toBeVisible();
  });

  it.each([
    ['Component', 'service'],
    ['Component', 'kubernetes-cluster'],
    ['Resource', 'database'],
  ])('is not on %s of type %s', async (kind, type) => {
    open({ ...aClusterEntity, kind, spec: { type } });
    expect(await screen.findByTestId('empty-entity-page')).toBeInTheDocument();
  });

  it('shows a fault of the portal whole', async () => {
    server.use(
      http.post(`${CLUSTER}/backups`, () =>
        HttpResponse.json(
          {
            error: {
              name: 'ConflictError',
              message: 'The host key of cp-2 is not the one that is known',
              code: 'host-key-changed',
              state: 'Nothing was changed.',
              remedy: 'Find out why it changed.',
              details: { machine: 'cp-2' },
            },
            request: { method: 'POST', url: '/backups' },
            response: { statusCode: 409 },
          },
          { status: 409 },
        ),
      ),
    );
    open(aClusterEntity);
    await userEvent.click(
      await screen.findByRole('button', { name: 'Back up now' }),
    );

    const alert = await screen.findByRole('alert');
    expect(alert).toHaveTextContent(
      'The host key of cp-2 is not the one that is known',
    );
    expect(alert).toHaveTextContent('Nothing was changed.');
    expect(alert).toHaveTextContent('Find out why it changed.');
    expect(alert).toHaveTextContent('host-key-changed');
    expect(screen.getByRole('button', { name: 'Back up now' })).toBeEnabled();
  });
});
