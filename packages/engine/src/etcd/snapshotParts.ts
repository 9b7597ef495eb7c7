/** Bytes of a snapshot, and how many of those that are announced come after them. */
export interface SnapshotPart {
  blob: Buffer;
  remaining: number;
}

/** gRPC: a flag that says whether the message is compressed, and its length. */
const PREFIX = 5;
// Fields of SnapshotResponse.
const REMAINING_BYTES = 2;
const BLOB = 3;
// Wire types of protobuf.
const VARINT = 0;
const LENGTH_DELIMITED = 2;
/** What stands before the blob of a message is some thirty bytes. */
const MAX_HEAD = 4096;

/**
 * Reads a stream of gRPC messages of type `SnapshotResponse` as it comes, without putting messages together: the bytes
 * of a blob are passed on where they lie.
 */
export class SnapshotParts {
  /** The beginning of what could not be read yet for want of bytes. */
  private head: Buffer = Buffer.alloc(0);
  private inMessage = 0;
  private inBlob = 0;
  private remaining = 0;

  /** Whether the stream may not end here. */
  isInside(): boolean {
    return this.head.length > 0 || this.inMessage > 0;
  }

  /** @throws Error when the bytes are no such messages */
  *of(chunk: Buffer): Generator<SnapshotPart> {
    let bytes = this.head.length ? Buffer.concat([this.head, chunk]) : chunk;
    this.head = Buffer.alloc(0);
    while (bytes.length > 0) {
      if (this.inBlob > 0) {
        const blob = bytes.subarray(0, this.inBlob);
        bytes = bytes.subarray(blob.length);
        this.inBlob -= blob.length;
        this.inMessage -= blob.length;
        yield { blob, remaining: this.remaining + this.inBlob };
        continue;
      }
      const read =
        this.inMessage > 0 ? this.readField(bytes) : this.readPrefix(bytes);
      if (read === 0) {
        if (bytes.length > MAX_HEAD) {
          throw new Error('the answer is no snapshot');
        }
        this.head = Buffer.from(bytes);
        return;
      }
      bytes = bytes.subarray(read);
    }
  }

  /** @returns how many bytes it took; none when there are too few */
  private readPrefix(bytes: Buffer): number {
    if (bytes.length < PREFIX) {
      return 0;
    }
    if (bytes[0] !== 0) {
      throw new Error('the answer is compressed, which was not asked for');
    }
    this.inMessage = bytes.readUInt32BE(1);
    this.remaining = 0;
    return PREFIX;
  }

  private readField(bytes: Buffer): number {
    const tag = varint(bytes, 0);
    const value = tag && varint(bytes, tag.end);
    if (!value) {
      return 0;
    }
    const field = Math.floor(tag.value / 8);
    const wireType = tag.value % 8;
    let read = value.end;
    if (wireType === LENGTH_DELIMITED && field === BLOB) {
      this.inBlob = value.value;
    } else if (wireType === LENGTH_DELIMITED) {
      read += value.value;
    } else if (wireType !== VARINT) {
      throw new Error('the answer is no snapshot');
    } else if (field === REMAINING_BYTES) {
      this.remaining = value.value;
    }
    if (bytes.length < read) {
      return 0;
    }
    this.inMessage -= read;
    if (this.inMessage < this.inBlob) {
      throw new Error('the answer is no snapshot');
    }
    return read;
  }
}

/** A number in protobuf's variable length; nothing when it is cut. */
function varint(
  bytes: Buffer,
  at: number,
): { value: number; end: number } | undefined {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    if (at + i >= bytes.length) {
      return undefined;
    }
    value += (bytes[at + i] % 128) * 2 ** (7 * i);
    if (bytes[at + i] < 128) {
      return { value, end: at + i + 1 };
    }
  }
  throw new Error('the answer is no snapshot');
}
