import {
  BackendFeature,
  createServiceFactory,
} from '@backstage/backend-plugin-api';
import {
  mockServices,
  startTestBackend,
  TestBackend,
} from '@backstage/backend-test-utils';
import { Entity } from '@backstage/catalog-model';
import { catalogServiceMock } from '@backstage/plugin-catalog-node/testUtils';
import { notificationService } from '@backstage/plugin-notifications-node';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import { Knex } from 'knex';
import clusterBackupPlugin from '..';

/** A cluster in the catalog, and whose it is. */
export function clusterEntity(name: string, owner: string): Entity {
  return {
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Resource',
    metadata: { name, namespace: 'default' },
    spec: { type: 'kubernetes-cluster', owner },
    relations: [{ type: 'ownedBy', targetRef: owner }],
  };
}

/** A group of people, perhaps within another. */
export function groupEntity(name: string, parent?: string): Entity {
  return {
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Group',
    metadata: { name, namespace: 'default' },
    spec: { type: 'team', children: [] },
    relations: parent ? [{ type: 'childOf', targetRef: parent }] : [],
  };
}

/** A person, and the groups that the catalog says the person is of. */
export function userEntity(name: string, ...groups: string[]): Entity {
  return {
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'User',
    metadata: { name, namespace: 'default' },
    spec: {},
    relations: groups.map(targetRef => ({ type: 'memberOf', targetRef })),
  };
}

/** What the audit was told: the event, and how it ended. */
export type Audit = Array<{ eventId: string; outcome: string }>;

/** A portal with the plugin, on a database that outlives it. */
export async function startPortal(options: {
  knex: Knex;
  section: object;
  entities: Entity[];
  permissions?: AuthorizeResult.ALLOW | AuthorizeResult.DENY;
  /** Services that are not the tests'. */
  features?: BackendFeature[];
}): Promise<{
  backend: TestBackend;
  audit: Audit;
  authorize: jest.Mock;
  /** What the auditor was given, and the notifications. */
  createEvent: jest.Mock;
  send: jest.Mock;
}> {
  const { knex, section, entities } = options;
  const result = options.permissions ?? AuthorizeResult.ALLOW;
  const audit: Audit = [];
  const authorize = jest.fn(async (requests: unknown[]) =>
    requests.map(() => ({ result })),
  );
  const createEvent = jest.fn(async ({ eventId }) => {
    const event = { eventId, outcome: 'open' };
    audit.push(event);
    return {
      success: async () => void (event.outcome = 'success'),
      fail: async () => void (event.outcome = 'fail'),
    };
  });
  const send = jest.fn();
  const backend = await startTestBackend({
    features: [
      clusterBackupPlugin,
      catalogServiceMock.factory({ entities }),
      mockServices.database.factory({ knex }),
      mockServices.permissions.mock({ authorize: authorize as any }).factory,
      mockServices.auditor.mock({ createEvent }).factory,
      createServiceFactory({
        service: notificationService,
        deps: {},
        factory: () => ({ send }),
      }),
      mockServices.rootConfig.factory({ data: { clusterBackup: section } }),
      ...(options.features ?? []),
    ],
  });
  return { backend, audit, authorize, createEvent, send };
}
