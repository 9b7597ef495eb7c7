import { createHash } from 'node:crypto';

/** A snapshot ends with the SHA-256 of all that is before it. */
export const SNAPSHOT_TRAILER = 32;

/** Hashes a snapshot as it passes, and compares what it ends with. */
export class SnapshotHash {
  private readonly hash = createHash('sha256');
  private left: number;
  private expected?: Buffer;
  private trailer: Buffer = Buffer.alloc(0);

  constructor(size: number) {
    this.left = size - SNAPSHOT_TRAILER;
  }

  update(chunk: Buffer) {
    const content = chunk.subarray(0, this.left);
    const end = chunk.subarray(content.length);
    this.left -= content.length;
    this.hash.update(content);
    if (end.length > 0) {
      this.expected ??= this.hash.copy().digest();
      this.trailer = Buffer.concat([this.trailer, end]);
      this.hash.update(end);
    }
  }

  /** Of the whole file. */
  digest(encoding: 'hex'): string {
    return this.hash.digest(encoding);
  }

  get endsAsItShould(): boolean {
    return this.expected?.equals(this.trailer) === true;
  }
}
