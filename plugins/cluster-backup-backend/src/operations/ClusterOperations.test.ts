import { mockServices } from '@backstage/backend-test-utils';
import {
  Backup,
  Operation,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { ClusterOperations } from './ClusterOperations';
import { ConfiguredClusters } from './ConfiguredClusters';
import { OperationWorker } from './OperationWorker';
import { BackupRecordStore } from '../database/BackupRecordStore';
import { OperationStore } from '../database/OperationStore';
import { RestoreRequests } from './RestoreRequests';

it.each([
  ['somebody else has taken the restore up', false],
  ['the portal is being stopped', true],
])('a file key is wiped where %s', async (_, isStopping) => {
  const backup = { id: 'b', isEncrypted: true } as Backup;
  const operations = new ClusterOperations({
    clusters: {
      access: () => ({}),
      archive: async () => ({}),
    } as unknown as ConfiguredClusters,
    operations: {
      takeUpRestore: async () => undefined,
    } as unknown as OperationStore,
    backups: { get: async () => backup } as unknown as BackupRecordStore,
    restoreRequests: {} as RestoreRequests,
    worker: { id: 'w', isStopping } as unknown as OperationWorker,
    logger: mockServices.logger.mock(),
    portalsOwn: {} as never,
  });
  const fileKey = Buffer.alloc(16, 7);
  const text = fileKey.toString('base64');
  jest.spyOn(Buffer, 'from').mockReturnValueOnce(fileKey);
  const interrupted = { id: 'o', backupId: 'b' } as Operation;
  await expect(
    operations.resume(interrupted, 'user:default/a', { fileKey: text }),
  ).rejects.toMatchObject({
    code: isStopping ? 'portal-stopping' : 'operation-not-interrupted',
  });
  expect(fileKey).toEqual(Buffer.alloc(16));
});
