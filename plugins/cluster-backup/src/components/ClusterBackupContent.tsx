import { stringifyEntityRef } from '@backstage/catalog-model';
import { useEntity } from '@backstage/plugin-catalog-react';
import { useEntityPermission } from '@backstage/plugin-catalog-react/alpha';
import { clusterBackupReadPermission } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { faultOf } from '../faults/faultOf';
import { ClusterBackups } from './ClusterBackups';
import { FaultPanel } from './FaultPanel';
import { Loading } from './Loading';
import { ReadDenied } from './ReadDenied';

/** The Backup tab of a cluster's page. */
export function ClusterBackupContent() {
  const { entity } = useEntity();
  const { loading, allowed, error } = useEntityPermission(
    clusterBackupReadPermission,
  );
  if (loading) {
    return <Loading />;
  }
  if (error) {
    return <FaultPanel fault={faultOf(error)} />;
  }
  if (!allowed) {
    return <ReadDenied />;
  }
  const clusterRef = stringifyEntityRef(entity);
  return <ClusterBackups key={clusterRef} clusterRef={clusterRef} />;
}
