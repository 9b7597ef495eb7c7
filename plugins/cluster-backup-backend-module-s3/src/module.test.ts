import { mockServices, startTestBackend } from '@backstage/backend-test-utils';
import {
  clusterBackupStoreTypesExtensionPoint,
  OpenStore,
  StoreType,
} from '@cluster-backup/backstage-plugin-cluster-backup-node';
import clusterBackupModuleS3 from '.';

describe('the module', () => {
  it("adds the store type s3, with the portal's AWS credentials", async () => {
    const added: StoreType[] = [];
    const aws = { mainAccount: { accessKeyId: 'id', secretAccessKey: 'key' } };
    const backend = await startTestBackend({
      extensionPoints: [
        [
          clusterBackupStoreTypesExtensionPoint,
          { addStoreType: storeType => void added.push(storeType) },
        ],
      ],
      features: [
        clusterBackupModuleS3,
        mockServices.rootConfig.factory({ data: { aws } }),
      ],
    });
    await backend.stop();
    expect(added).toEqual([
      { type: 's3', modulePath: expect.any(String), settings: { aws } },
    ]);

    const [{ modulePath, settings }] = added;
    const { openStore }: { openStore: OpenStore } = require(modulePath);
    const options = { bucket: 'b', endpoint: 'http://127.0.0.1:9' };
    const store = { id: 'offsite', type: 's3', folder: '/', options };
    await expect(openStore(store, settings)).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('http://127.0.0.1:9'),
    });
  });
});
