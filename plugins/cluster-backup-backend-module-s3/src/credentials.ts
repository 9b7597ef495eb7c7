import { S3ClientConfig } from '@aws-sdk/client-s3';
import { ConfigReader } from '@backstage/config';
import { DefaultAwsCredentialsManager } from '@backstage/integration-aws-node';
import { ClusterBackupError, NOTHING_CHANGED } from '@cluster-backup/engine';
import { S3Options } from './options';

/**
 * A store's own credentials, or those that Backstage has for its account: of the portal's `aws` section, and where
 * that says nothing, what the AWS SDK finds around this process.
 */
export function credentialsOf(
  id: string,
  options: S3Options,
  aws: unknown,
): S3ClientConfig['credentials'] {
  const { accountId, accessKeyId, secretAccessKey } = options;
  if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey };
  return async () => {
    try {
      const manager = DefaultAwsCredentialsManager.fromConfig(
        new ConfigReader(aws ? { aws: aws as {} } : {}),
      );
      const { sdkCredentialProvider } = await manager.getCredentialProvider(
        accountId ? { accountId } : undefined,
      );
      return await sdkCredentialProvider();
    } catch (error) {
      throw new ClusterBackupError({
        code: 'store-not-permitted',
        message: `The store ${id} has no AWS credentials${
          accountId ? ` of account ${accountId}` : ''
        }: ${(error as Error).message}`,
        state: NOTHING_CHANGED,
        remedy:
          "Configure the portal's aws section, give the store its own accessKeyId and secretAccessKey, or give this process what the AWS SDK looks for; docs/stores.md says where.",
        details: { store: id, accountId },
        cause: error,
      });
    }
  };
}
