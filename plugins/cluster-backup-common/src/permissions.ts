import { RESOURCE_TYPE_CATALOG_ENTITY } from '@backstage/plugin-catalog-common/alpha';
import { createPermission } from '@backstage/plugin-permission-common';

/**
 * To see a cluster's backups and operations; nothing of what is in them.
 *
 * @public
 */
export const clusterBackupReadPermission = createPermission({
  name: 'clusterBackup.read',
  attributes: { action: 'read' },
  resourceType: RESOURCE_TYPE_CATALOG_ENTITY,
});

/**
 * To take a backup of a cluster, and to check it.
 *
 * @public
 */
export const clusterBackupCreatePermission = createPermission({
  name: 'clusterBackup.create',
  attributes: { action: 'create' },
  resourceType: RESOURCE_TYPE_CATALOG_ENTITY,
});

/**
 * To put a backup back, and to resume or undo that. Without an action: the community's RBAC plugin takes a grant of
 * `catalog-entity, update` for one of every permission of that type and action.
 *
 * @public
 */
export const clusterBackupRestorePermission = createPermission({
  name: 'clusterBackup.restore',
  attributes: {},
  resourceType: RESOURCE_TYPE_CATALOG_ENTITY,
});

/**
 * To say yes to a restore that another person asked for. Without an action, as restoring.
 *
 * @public
 */
export const clusterBackupApprovePermission = createPermission({
  name: 'clusterBackup.approve',
  attributes: {},
  resourceType: RESOURCE_TYPE_CATALOG_ENTITY,
});

/**
 * To say which backups of a cluster are kept, and to take that back. Without an action, as restoring.
 *
 * @public
 */
export const clusterBackupManagePermission = createPermission({
  name: 'clusterBackup.manage',
  attributes: {},
  resourceType: RESOURCE_TYPE_CATALOG_ENTITY,
});

/**
 * To get at what opens a cluster: a kubeconfig of its own authority. Without an action, as restoring.
 *
 * @public
 */
export const clusterBackupRevealPermission = createPermission({
  name: 'clusterBackup.reveal',
  attributes: {},
  resourceType: RESOURCE_TYPE_CATALOG_ENTITY,
});

/** All permissions of this plugin. @public */
export const clusterBackupPermissions = [
  clusterBackupReadPermission,
  clusterBackupCreatePermission,
  clusterBackupRestorePermission,
  clusterBackupApprovePermission,
  clusterBackupManagePermission,
  clusterBackupRevealPermission,
];
