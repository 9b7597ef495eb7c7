import { HttpAuthService } from '@backstage/backend-plugin-api';
import { ClusterOverview } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { ClusterAuthority } from '../authorization/ClusterAuthority';
import { BackupRecordStore } from '../database/BackupRecordStore';
import { RecipientProofs } from '../database/RecipientProofs';
import { ClusterSchedules } from '../database/ClusterSchedules';
import { RetentionRecords } from '../database/RetentionRecords';
import { OperationStore } from '../database/OperationStore';
import { ClusterOperations } from '../operations/ClusterOperations';
import { ConfiguredClusters } from '../operations/ConfiguredClusters';
import { NotifyOwners } from '../operations/notifyOwners';
import { RestoreRequests } from '../operations/RestoreRequests';
import { PortalsOwnClusters } from '../operations/portalsOwnCluster';
import { Protection } from '../operations/protection';

/** What routes work with. */
export interface RouterOptions {
  httpAuth: HttpAuthService;
  authority: ClusterAuthority;
  clusters: ConfiguredClusters;
  operations: OperationStore;
  backups: BackupRecordStore;
  retention: RetentionRecords;
  schedules: ClusterSchedules;
  recipientProofs: RecipientProofs;
  clusterOperations: ClusterOperations;
  restoreRequests: RestoreRequests;
  notifyOwners: NotifyOwners;
  portalsOwn: PortalsOwnClusters;
  protectionOf: (clusterName?: string) => Protection;
  supportLink: ClusterOverview['supportLink'];
}
