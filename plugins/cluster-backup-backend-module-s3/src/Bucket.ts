import {
  DeleteObjectCommand,
  HeadObjectCommand,
  HeadObjectCommandOutput,
  ListObjectVersionsCommand,
  ListObjectVersionsCommandInput,
  ListObjectVersionsCommandOutput,
  S3Client,
} from '@aws-sdk/client-s3';
import { keyParts, StoredFile } from '@cluster-backup/engine';
import { S3Options } from './options';
import { Attempt, s3Problem, statusOf } from './s3Problem';

/** A bucket, or a folder of one: where keys are in it, and how it is asked. */
export class Bucket {
  readonly id: string;
  readonly options: S3Options;
  /** Gives up on connections that are silent. */
  readonly client: S3Client;
  /** Does not: whoever reads may take his time. */
  readonly reader: S3Client;

  constructor(
    id: string,
    options: S3Options,
    clients: { client: S3Client; reader: S3Client },
  ) {
    this.id = id;
    this.options = options;
    this.client = clients.client;
    this.reader = clients.reader;
  }

  /** Where a key is. */
  at(key: string): { Bucket: string; Key: string } {
    const { bucket, prefix } = this.options;
    return { Bucket: bucket, Key: `${prefix}${key}` };
  }

  /** The key of what is there, when it is one that a store's files have. */
  keyOf(objectKey: string): string | undefined {
    const key = objectKey.slice(this.options.prefix.length);
    try {
      keyParts(key);
      return key;
    } catch {
      return undefined;
    }
  }

  /** How what is written is encrypted. */
  encryption() {
    const { serverSideEncryption, kmsKeyId } = this.options;
    return {
      ServerSideEncryption: serverSideEncryption,
      SSEKMSKeyId: kmsKeyId,
    };
  }

  /** Asks, and says in words what was refused. */
  async asked<T>(attempt: Attempt, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw s3Problem(this, attempt, error);
    }
  }

  /** What is known of a file without reading it. */
  async look(
    key: string,
    attempt: Attempt = {
      what: `can not look for ${key}`,
      needs: 's3:GetObject and s3:ListBucket',
      key,
    },
  ): Promise<HeadObjectCommandOutput | undefined> {
    return this.asked(attempt, async () => {
      try {
        return await this.client.send(new HeadObjectCommand(this.at(key)));
      } catch (error) {
        // Whether the bucket is there was found out when the store was opened.
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    });
  }

  /** Removes a file with its bytes: where versions are kept, removing its name would keep them. */
  async remove(key: string, hasVersions: boolean): Promise<void> {
    const object = this.at(key);
    const versions = hasVersions ? await this.versions(key) : [undefined];
    for (const VersionId of versions) {
      await this.client.send(new DeleteObjectCommand({ ...object, VersionId }));
    }
  }

  /** The newest one last: as long as it is there the file is. */
  private async versions(key: string): Promise<string[]> {
    const { Bucket: bucket, Key } = this.at(key);
    const found: string[] = [];
    let input: ListObjectVersionsCommandInput | undefined = {
      Bucket: bucket,
      Prefix: Key,
    };
    while (input) {
      const page: ListObjectVersionsCommandOutput = await this.client.send(
        new ListObjectVersionsCommand(input),
      );
      const { Versions = [], DeleteMarkers = [] } = page;
      for (const version of [...DeleteMarkers, ...Versions]) {
        if (version.Key !== Key) continue;
        if (version.IsLatest) found.push(version.VersionId!);
        else found.unshift(version.VersionId!);
      }
      // The key itself comes before all that merely begin with it.
      const isOver = !page.IsTruncated || page.NextKeyMarker !== Key;
      input = isOver
        ? undefined
        : {
            Bucket: bucket,
            Prefix: Key,
            KeyMarker: page.NextKeyMarker,
            VersionIdMarker: page.NextVersionIdMarker,
          };
    }
    return found;
  }
}

/** A file as the store tells of it. */
export function storedFile(
  key: string,
  {
    ContentLength,
    LastModified,
    ObjectLockRetainUntilDate,
  }: HeadObjectCommandOutput,
): StoredFile {
  return {
    key,
    size: ContentLength!,
    modifiedAt: LastModified!,
    ...(ObjectLockRetainUntilDate && {
      lockedUntil: ObjectLockRetainUntilDate,
    }),
  };
}

/** Where nothing is yet, as far as the server knows the condition: some ignore it, some refuse it as a whole. */
export async function exclusively<T>(
  write: (condition: { IfNoneMatch?: '*' }) => Promise<T>,
): Promise<T> {
  try {
    return await write({ IfNoneMatch: '*' });
  } catch (error) {
    if (statusOf(error) === 501) return write({});
    throw error;
  }
}
