import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  CreateMultipartUploadCommandInput,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { statusOf } from './s3Problem';

/** Bytes; S3 takes 10000 of them. */
export const PART = 8 * 1024 * 1024;
/** So many are in memory, and one that fills. */
const AT_ONCE = 4;

/** For buckets that lock by themselves: they ask for it. */
export function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('base64');
}

interface ObjectOnItsWay {
  Bucket: string | undefined;
  Key: string | undefined;
  UploadId: string | undefined;
}

/** An object on its way, under no name until it is complete. */
export class MultipartUpload {
  /** Why the first part that failed did. */
  failure?: { error: unknown };
  private readonly client: S3Client;
  private readonly object: ObjectOnItsWay;
  private readonly cut: AbortController;
  private readonly parts: CompletedPart[] = [];

  /** What fails is cut, and with it whatever else listens. */
  static async begin(
    client: S3Client,
    input: CreateMultipartUploadCommandInput,
    cut: AbortController,
  ): Promise<MultipartUpload> {
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand(input),
      { abortSignal: cut.signal },
    );
    const { Bucket, Key } = input;
    return new MultipartUpload(client, { Bucket, Key, UploadId }, cut);
  }

  constructor(
    client: S3Client,
    object: ObjectOnItsWay,
    cut = new AbortController(),
  ) {
    this.client = client;
    this.object = object;
    this.cut = cut;
  }

  /** @returns how many bytes it sent */
  async send(source: AsyncIterable<Buffer>): Promise<number> {
    const sending = new Set<Promise<void>>();
    let size = 0;
    try {
      for await (const bytes of source) {
        size += bytes.length;
        const sent = this.sendPart(bytes).finally(() => sending.delete(sent));
        sending.add(sent);
        sent.catch(error => this.fail(error));
        if (sending.size === AT_ONCE) await Promise.race(sending);
      }
      await Promise.all(sending);
      return size;
    } catch (error) {
      this.cut.abort(error);
      // A part that arrives after the upload was aborted is kept, and paid for.
      await Promise.allSettled(sending);
      throw this.failure?.error ?? error;
    }
  }

  async complete(condition: { IfNoneMatch?: '*' }) {
    return this.client.send(
      new CompleteMultipartUploadCommand({
        ...this.object,
        ...condition,
        MultipartUpload: { Parts: this.parts },
      }),
    );
  }

  /** Removes its parts; one that is no more has none. */
  async abort(): Promise<void> {
    try {
      await this.client.send(new AbortMultipartUploadCommand(this.object));
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
    }
  }

  private async sendPart(bytes: Buffer): Promise<void> {
    const part: CompletedPart = { PartNumber: this.parts.length + 1 };
    this.parts.push(part);
    const { ETag } = await this.client.send(
      new UploadPartCommand({
        ...this.object,
        PartNumber: part.PartNumber,
        Body: bytes,
        ContentMD5: md5(bytes),
      }),
      { abortSignal: this.cut.signal },
    );
    part.ETag = ETag;
  }

  private fail(error: unknown) {
    if (this.cut.signal.aborted) return;
    this.failure = { error };
    this.cut.abort(error);
  }
}
