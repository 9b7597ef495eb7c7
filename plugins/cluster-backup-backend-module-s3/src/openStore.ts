import { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import {
  BackupStore,
  PlaceOf,
  StoreConfiguration,
} from '@cluster-backup/backstage-plugin-cluster-backup-node';
import { Bucket } from './Bucket';
import { credentialsOf } from './credentials';
import { readOptions } from './options';
import { S3Store } from './S3Store';

const CONNECT_MS = 10_000;

/** How long a store is waited for. */
export interface Patience {
  /** A connection that is silent for so long has failed. */
  stallMs: number;
  /** How often a request is made before it has failed. */
  attempts: number;
}

/**
 * Opens a store of type `s3`, and finds out whether it is there.
 *
 * @throws ClusterBackupError
 */
export async function openStore(
  store: StoreConfiguration,
  settings?: Record<string, unknown>,
  patience: Patience = { stallMs: 60_000, attempts: 4 },
): Promise<BackupStore> {
  const { id } = store;
  const { stallMs, attempts } = patience;
  const options = readOptions(store);
  const common: S3ClientConfig = {
    region: options.region,
    endpoint: options.endpoint,
    forcePathStyle: options.forcePathStyle,
    credentials: credentialsOf(id, options, settings?.aws),
    maxAttempts: attempts,
    // Many stores that are not AWS's do not know the checksums that the SDK would add by itself.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  };
  const bucket = new Bucket(id, options, {
    client: new S3Client({
      ...common,
      requestHandler: {
        connectionTimeout: Math.min(CONNECT_MS, stallMs),
        socketTimeout: stallMs,
      },
    }),
    reader: new S3Client({
      ...common,
      requestHandler: {
        connectionTimeout: Math.min(CONNECT_MS, stallMs),
        requestTimeout: stallMs,
        throwOnRequestTimeout: true,
        socketTimeout: 0,
      },
    }),
  });
  const opened = new S3Store(bucket, stallMs);
  await opened.reach();
  return opened;
}

export const placeOf: PlaceOf = store => {
  const { bucket, prefix, endpoint, region } = readOptions(store);
  return `s3://${bucket}/${prefix} at ${endpoint ?? `AWS, ${region}`}`;
};
