import {
  AuthService,
  PermissionsRegistryService,
} from '@backstage/backend-plugin-api';
import { Entity, RELATION_OWNED_BY } from '@backstage/catalog-model';
import { RESOURCE_TYPE_CATALOG_ENTITY } from '@backstage/plugin-catalog-common/alpha';
import { CatalogService } from '@backstage/plugin-catalog-node';
import {
  createPermissionResourceRef,
  createPermissionRule,
} from '@backstage/plugin-permission-node';
import { clusterBackupPermissions } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { z } from 'zod/v3';

const clusterResourceRef = createPermissionResourceRef<Entity, object>().with({
  pluginId: 'cluster-backup',
  resourceType: RESOURCE_TYPE_CATALOG_ENTITY,
});

/** Rules become queries where a list is filtered with them; ours are asked of one entity. */
const toQuery = () => ({});

const isEntityOwner = createPermissionRule({
  name: 'IS_ENTITY_OWNER',
  description: 'Allow clusters owned by one of the claims',
  resourceRef: clusterResourceRef,
  paramsSchema: z.object({
    claims: z.array(z.string()).describe('Entities, of which one owns it'),
  }),
  apply: ({ relations = [] }, { claims }) =>
    relations.some(
      ({ type, targetRef }) =>
        type === RELATION_OWNED_BY && claims.includes(targetRef),
    ),
  toQuery,
});

const isEntityKind = createPermissionRule({
  name: 'IS_ENTITY_KIND',
  description: 'Allow clusters that are entities of one of the kinds',
  resourceRef: clusterResourceRef,
  paramsSchema: z.object({
    kinds: z.array(z.string()).describe('Kinds, of which one is its own'),
  }),
  apply: ({ kind }, { kinds }) => kinds.some(each => isSame(each, kind)),
  toQuery,
});

const hasAnnotation = createPermissionRule({
  name: 'HAS_ANNOTATION',
  description: 'Allow clusters with the annotation',
  resourceRef: clusterResourceRef,
  paramsSchema: z.object({
    annotation: z.string().describe('Name of the annotation'),
    value: z.string().optional().describe('Value that it has, if given'),
  }),
  apply: ({ metadata }, { annotation, value }) =>
    hasEntry(metadata.annotations, annotation, value),
  toQuery,
});

const hasLabel = createPermissionRule({
  name: 'HAS_LABEL',
  description: 'Allow clusters with the label',
  resourceRef: clusterResourceRef,
  paramsSchema: z.object({
    label: z.string().describe('Name of the label'),
    value: z.string().optional().describe('Value that it has, if given'),
  }),
  apply: ({ metadata }, { label, value }) =>
    hasEntry(metadata.labels, label, value),
  toQuery,
});

const hasMetadata = createPermissionRule({
  name: 'HAS_METADATA',
  description: 'Allow clusters with the metadata field',
  resourceRef: clusterResourceRef,
  paramsSchema: z.object({
    key: z.string().describe('Path of the field within metadata'),
    value: z.string().optional().describe('Value that it has, if given'),
  }),
  apply: ({ metadata }, { key, value }) => hasField(metadata, key, value),
  toQuery,
});

const hasSpec = createPermissionRule({
  name: 'HAS_SPEC',
  description: 'Allow clusters with the spec field',
  resourceRef: clusterResourceRef,
  paramsSchema: z.object({
    key: z.string().describe('Path of the field within spec'),
    value: z.string().optional().describe('Value that it has, if given'),
  }),
  apply: ({ spec }, { key, value }) => hasField(spec, key, value),
  toQuery,
});

/**
 * Makes this plugin answer for entities, as the catalog does: with rules of the same names and parameters. A policy
 * files its conditions under the plugin of the permission (RBAC does) or under that of the resource (the catalog's
 * `createCatalogConditionalDecision` does), and both have to find somebody who knows the rule.
 */
export function registerClusterRules(options: {
  permissionsRegistry: PermissionsRegistryService;
  catalog: CatalogService;
  auth: AuthService;
}): void {
  const { permissionsRegistry, catalog, auth } = options;
  permissionsRegistry.addResourceType({
    resourceRef: clusterResourceRef,
    permissions: clusterBackupPermissions,
    rules: [
      isEntityOwner,
      isEntityKind,
      hasAnnotation,
      hasLabel,
      hasMetadata,
      hasSpec,
    ],
    getResources: async entityRefs => {
      const credentials = await auth.getOwnServiceCredentials();
      const { items } = await catalog.getEntitiesByRefs(
        { entityRefs },
        { credentials },
      );
      return items;
    },
  });
}

function hasEntry(
  entries: Record<string, string> | undefined,
  name: string,
  value: string | undefined,
): boolean {
  return Object.entries(entries ?? {}).some(
    ([each, given]) =>
      isSame(each, name) && (value === undefined || isSame(given, value)),
  );
}

/** A field by its path, `system.name`; of a list every element counts. */
function hasField(
  fields: unknown,
  path: string,
  value: string | undefined,
): boolean {
  if (Array.isArray(fields)) {
    return fields.some(element => hasField(element, path, value));
  }
  if (path === '') {
    if (fields === undefined || fields === null) return false;
    return value === undefined || isSame(String(fields), value);
  }
  if (typeof fields !== 'object' || fields === null) return false;
  return Object.entries(fields).some(
    ([name, field]) =>
      (isSame(name, path) && hasField(field, '', value)) ||
      (path
        .toLocaleLowerCase('en-US')
        .startsWith(`${name.toLocaleLowerCase('en-US')}.`) &&
        hasField(field, path.slice(name.length + 1), value)),
  );
}

function isSame(one: string, other: string): boolean {
  return one.toLocaleLowerCase('en-US') === other.toLocaleLowerCase('en-US');
}
