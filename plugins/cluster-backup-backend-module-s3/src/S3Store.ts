import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetObjectCommand,
  GetObjectRetentionCommand,
  ListMultipartUploadsCommand,
  ListMultipartUploadsCommandOutput,
  ListObjectsV2Command,
  NoSuchKey,
  paginateListObjectsV2,
  PutObjectCommand,
  PutObjectRetentionCommand,
} from '@aws-sdk/client-s3';
import {
  BackupStore,
  ClusterBackupError,
  keyParts,
  NOTHING_CHANGED,
  StoredFile,
} from '@cluster-backup/engine';
import { Bucket, exclusively, storedFile } from './Bucket';
import { md5, MultipartUpload } from './MultipartUpload';
import { putFile } from './putFile';
import { statusOf } from './s3Problem';
import { fileLocked, fileMissing, lockMissing, notKept } from './storeErrors';
import { WholeBody } from './WholeBody';

/** No key can be its name: their parts do not begin with a dot. */
const IDENTITY = '.cluster-backup-store';
/** Longer than whoever makes an identity at the same time takes from looking to writing. */
const SETTLED_MS = 2000;
const DAY_MS = 24 * 60 * 60 * 1000;

/** A store in a bucket, or in a folder of one. */
export class S3Store implements BackupStore {
  readonly id: string;
  private readonly bucket: Bucket;
  private readonly stallMs: number;

  /** A download that is silent for so long has failed. */
  constructor(bucket: Bucket, stallMs: number) {
    this.id = bucket.id;
    this.bucket = bucket;
    this.stallMs = stallMs;
  }

  /** Finds out whether the bucket is there and may be looked into. */
  async reach(): Promise<void> {
    const { client, options } = this.bucket;
    await this.bucket.asked(
      { what: 'can not be opened', needs: 's3:ListBucket' },
      () =>
        client.send(
          new ListObjectsV2Command({
            Bucket: options.bucket,
            Prefix: options.prefix,
            MaxKeys: 1,
          }),
        ),
    );
  }

  async identity(): Promise<string> {
    const attempt = {
      what: 'can not tell which one it is',
      needs: 's3:GetObject and s3:PutObject',
    };
    return this.bucket.asked(attempt, async () => {
      const known = await this.readIdentity();
      if (known) return known;
      await this.makeIdentity();
      const made = await this.readIdentity();
      if (made) return made;
      throw notKept(
        this.id,
        IDENTITY,
        'it is not there',
        'The store has no identity.',
      );
    });
  }

  async put(
    key: string,
    source: AsyncIterable<Uint8Array>,
    options: { signal?: AbortSignal } = {},
  ): Promise<StoredFile> {
    return putFile(this.bucket, key, source, options.signal);
  }

  async get(
    key: string,
    options: { signal?: AbortSignal } = {},
  ): Promise<Readable> {
    keyParts(key);
    const { reader } = this.bucket;
    const { signal } = options;
    const attempt = { what: `can not read ${key}`, needs: 's3:GetObject', key };
    const { Body, ContentLength } = await this.bucket.asked(
      attempt,
      async () => {
        try {
          return await reader.send(new GetObjectCommand(this.bucket.at(key)), {
            abortSignal: signal,
          });
        } catch (error) {
          signal?.throwIfAborted();
          throw error instanceof NoSuchKey ? fileMissing(this.id, key) : error;
        }
      },
    );
    const body = Body as Readable;
    const problem = (why: string, cause?: unknown) =>
      new ClusterBackupError({
        code: 'store-failed',
        message: `The store ${this.id} can not read ${key}: ${why}.`,
        state: NOTHING_CHANGED,
        remedy:
          'Try again. When it happens again, look at the store and at the network between.',
        details: { store: this.id, key },
        cause,
      });
    if (ContentLength === undefined) {
      body.destroy();
      throw problem('the answer does not say how long it is');
    }
    return new WholeBody(body, {
      announced: ContentLength,
      stallMs: this.stallMs,
      problem,
      signal,
    });
  }

  async head(key: string): Promise<StoredFile | undefined> {
    keyParts(key);
    const found = await this.bucket.look(key);
    return found && storedFile(key, found);
  }

  async *list(prefix: string): AsyncGenerator<StoredFile, void, undefined> {
    const { client, options } = this.bucket;
    const pages = paginateListObjectsV2(
      { client },
      { Bucket: options.bucket, Prefix: `${options.prefix}${prefix}` },
    );
    const attempt = {
      what: `can not list ${prefix || 'its files'}`,
      needs: 's3:ListBucket',
    };
    for (;;) {
      const { value: page } = await this.bucket.asked(attempt, () =>
        pages.next(),
      );
      if (!page) return;
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        const key = this.bucket.keyOf(Key!);
        if (key) yield { key, size: Size!, modifiedAt: LastModified! };
      }
    }
  }

  async remove(key: string): Promise<void> {
    keyParts(key);
    const found = await this.bucket.look(key);
    if (!found) return;
    const until = found.ObjectLockRetainUntilDate;
    if (until && until.getTime() > Date.now()) {
      throw fileLocked(this.id, key, until);
    }
    const attempt = {
      what: `can not remove ${key}`,
      needs:
        's3:DeleteObject, s3:DeleteObjectVersion and s3:ListBucketVersions',
      key,
    };
    await this.bucket.asked(attempt, () =>
      this.bucket.remove(key, Boolean(found.VersionId)),
    );
  }

  async lock(key: string): Promise<Date | undefined> {
    keyParts(key);
    const { client, options } = this.bucket;
    if (!options.objectLock) return undefined;
    const found = await this.bucket.look(key);
    if (!found) throw fileMissing(this.id, key);
    if (!found.VersionId) throw lockMissing(this.id, key);
    // Never weaker than it is, and never shorter.
    const Mode =
      found.ObjectLockMode === 'COMPLIANCE'
        ? 'COMPLIANCE'
        : options.objectLock.mode;
    const wanted = Math.max(
      Date.now() + options.objectLock.days * DAY_MS,
      found.ObjectLockRetainUntilDate?.getTime() ?? 0,
    );
    // Some servers keep seconds only.
    const RetainUntilDate = new Date(Math.ceil(wanted / 1000) * 1000);
    const version = { ...this.bucket.at(key), VersionId: found.VersionId };
    const attempt = {
      what: `can not lock ${key}`,
      needs: 's3:PutObjectRetention and s3:GetObjectRetention',
      key,
      state: 'The file is kept; whether it is locked is not known.',
    };
    return this.bucket.asked(attempt, async () => {
      try {
        await client.send(
          new PutObjectRetentionCommand({
            ...version,
            Retention: { Mode, RetainUntilDate },
          }),
        );
      } catch (error) {
        throw isWithoutLock(error) ? lockMissing(this.id, key, error) : error;
      }
      const { Retention } = await client.send(
        new GetObjectRetentionCommand(version),
      );
      const until = Retention?.RetainUntilDate;
      if (until && until >= RetainUntilDate && Retention.Mode === Mode) {
        return until;
      }
      throw notKept(
        this.id,
        key,
        'it is not locked as it was asked to',
        'The file is kept.',
      );
    });
  }

  async sweep(before: Date): Promise<void> {
    const { client, options } = this.bucket;
    const attempt = {
      what: 'can not remove what was left half-written',
      needs: 's3:ListBucketMultipartUploads and s3:AbortMultipartUpload',
    };
    await this.bucket.asked(attempt, async () => {
      let page: ListMultipartUploadsCommandOutput | undefined;
      do {
        page = await client.send(
          new ListMultipartUploadsCommand({
            Bucket: options.bucket,
            Prefix: options.prefix,
            KeyMarker: page?.NextKeyMarker,
            UploadIdMarker: page?.NextUploadIdMarker,
          }),
        );
        for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
          const key = this.bucket.keyOf(Key!);
          if (key && Initiated! < before) {
            const object = { ...this.bucket.at(key), UploadId };
            await new MultipartUpload(client, object).abort();
          }
        }
      } while (page.IsTruncated);
    });
  }

  private async readIdentity(): Promise<string | undefined> {
    try {
      const { Body } = await this.bucket.client.send(
        new GetObjectCommand(this.bucket.at(IDENTITY)),
      );
      return (await Body!.transformToString()).trim();
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  }

  /** Of two that make it at once one wins: the first where the server knows the condition, or else the last. */
  private async makeIdentity() {
    const Body = Buffer.from(`${randomUUID()}\n`);
    const input = {
      ...this.bucket.at(IDENTITY),
      ...this.bucket.encryption(),
      Body,
      ContentMD5: md5(Body),
    };
    try {
      await exclusively(condition =>
        this.bucket.client.send(
          new PutObjectCommand({ ...input, ...condition }),
        ),
      );
    } catch (error) {
      if (statusOf(error) !== 412) throw error;
    }
    await sleep(SETTLED_MS);
  }
}

/** How servers say that a bucket has no Object Lock. */
function isWithoutLock(error: unknown): boolean {
  return (
    statusOf(error) === 501 ||
    ['InvalidRequest', 'ObjectLockConfigurationNotFoundError'].includes(
      (error as Error).name,
    )
  );
}
