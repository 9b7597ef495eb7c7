import { ResourcePermission } from '@backstage/plugin-permission-common';
import {
  clusterBackupApprovePermission,
  clusterBackupCreatePermission,
  clusterBackupManagePermission,
  clusterBackupReadPermission,
  clusterBackupRestorePermission,
  clusterBackupRevealPermission,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';

/** What somebody wants to do to a cluster. */
export type Right =
  | 'read'
  | 'create'
  | 'restore'
  | 'approve'
  | 'reveal'
  | 'manage';

interface RightRules {
  permission: ResourcePermission;
  /** Of its audit events. */
  severity: 'low' | 'medium' | 'high' | 'critical';
  /** Machines do not get it, whatever the policy says. */
  isPersonal: boolean;
  /** What only owners may, as others are told; absent where nobody has to be one. */
  ownersMay?: string;
}

export const RIGHTS: Record<Right, RightRules> = {
  read: {
    permission: clusterBackupReadPermission,
    severity: 'low',
    isPersonal: false,
  },
  create: {
    permission: clusterBackupCreatePermission,
    severity: 'medium',
    isPersonal: false,
  },
  restore: {
    permission: clusterBackupRestorePermission,
    severity: 'high',
    isPersonal: true,
    ownersMay: 'restore it',
  },
  approve: {
    permission: clusterBackupApprovePermission,
    severity: 'high',
    isPersonal: true,
    ownersMay: 'approve a restore of it',
  },
  reveal: {
    permission: clusterBackupRevealPermission,
    severity: 'critical',
    isPersonal: true,
    ownersMay: 'download its backups or get a kubeconfig of it',
  },
  manage: {
    permission: clusterBackupManagePermission,
    severity: 'medium',
    isPersonal: true,
    ownersMay: 'say which of its backups are kept',
  },
};
