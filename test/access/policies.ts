import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BackendFeature,
  createBackendModule,
} from '@backstage/backend-plugin-api';
import {
  catalogConditions,
  createCatalogConditionalDecision,
} from '@backstage/plugin-catalog-backend/alpha';
import { RESOURCE_TYPE_CATALOG_ENTITY } from '@backstage/plugin-catalog-common/alpha';
import permissionPlugin from '@backstage/plugin-permission-backend';
import allowAll from '@backstage/plugin-permission-backend-module-allow-all-policy';
import {
  AuthorizeResult,
  isResourcePermission,
  PolicyDecision,
} from '@backstage/plugin-permission-common';
import {
  PolicyQuery,
  PolicyQueryUser,
} from '@backstage/plugin-permission-node';
import { policyExtensionPoint } from '@backstage/plugin-permission-node/alpha';
import rbac from '@backstage-community/plugin-rbac-backend';
import { clusterBackupPermissions } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { stringify } from 'yaml';

/** A portal's way to decide about permissions. */
export interface Policy {
  name: string;
  features: BackendFeature[];
  permission(folder: string): Promise<object>;
}

/** Everybody reads; whatever else is done to an entity takes its owner. */
const ownerPolicy = createBackendModule({
  pluginId: 'permission',
  moduleId: 'owner-policy',
  register(env) {
    env.registerInit({
      deps: { policy: policyExtensionPoint },
      async init({ policy }) {
        policy.setPolicy({ handle });
      },
    });
  },
});

async function handle(
  { permission }: PolicyQuery,
  user?: PolicyQueryUser,
): Promise<PolicyDecision> {
  const isOfEntity = isResourcePermission(
    permission,
    RESOURCE_TYPE_CATALOG_ENTITY,
  );
  if (!isOfEntity || permission.attributes.action === 'read') {
    return { result: AuthorizeResult.ALLOW };
  }
  const claims = user?.info.ownershipEntityRefs ?? [];
  return createCatalogConditionalDecision(
    permission,
    catalogConditions.isEntityOwner({ claims }),
  );
}

const ROLE = 'role:default/cluster-owners';
/** Everybody sees the catalog; a group is given a role. */
const roles = [
  'p, role:default/everybody, catalog.entity.read, read, allow',
  ...['olga', 'nora', 'otto'].map(
    name => `g, user:default/${name}, role:default/everybody`,
  ),
  'g, user:development/guest, role:default/everybody',
  `g, group:default/platform, ${ROLE}`,
];

const enabled = { enabled: true };
const ofRbac = async (
  folder: string,
  lines: string[],
  conditions: object[],
) => {
  const policies = join(folder, 'policies.csv');
  const conditional = join(folder, 'conditions.yaml');
  await writeFile(policies, `${[...roles, ...lines].join('\n')}\n`);
  await writeFile(conditional, conditions.map(c => stringify(c)).join('---\n'));
  return {
    ...enabled,
    rbac: {
      'policies-csv-file': policies,
      conditionalPoliciesFile: conditional,
      pluginsWithPermission: ['catalog', 'cluster-backup'],
      admin: { users: [{ name: 'user:default/admin' }] },
    },
  };
};

/** docs/permissions.md shows these. */
export const policies: Policy[] = [
  {
    name: 'permissions off',
    features: [permissionPlugin, allowAll],
    permission: async () => ({ enabled: false }),
  },
  {
    name: 'allow-all',
    features: [permissionPlugin, allowAll],
    permission: async () => enabled,
  },
  {
    name: 'owner policy',
    features: [permissionPlugin, ownerPolicy],
    permission: async () => enabled,
  },
  {
    name: 'RBAC by name',
    features: [rbac],
    permission: folder =>
      ofRbac(
        folder,
        clusterBackupPermissions.map(
          ({ name, attributes: { action = 'use' } }) =>
            `p, ${ROLE}, ${name}, ${action}, allow`,
        ),
        [],
      ),
  },
  {
    name: 'RBAC by condition',
    features: [rbac],
    permission: folder =>
      ofRbac(
        folder,
        [],
        [
          {
            result: 'CONDITIONAL',
            roleEntityRef: ROLE,
            pluginId: 'cluster-backup',
            resourceType: 'catalog-entity',
            permissionMapping: ['read', 'create', 'use'],
            conditions: {
              rule: 'IS_ENTITY_OWNER',
              resourceType: 'catalog-entity',
              params: { claims: ['group:default/platform'] },
            },
          },
        ],
      ),
  },
];
