/** What a member says of itself. Identifiers are 64-bit numbers, so they are texts. @public */
export interface MemberStatus {
  memberId: string;
  clusterId: string;
  version: string;
  /** Bytes of its database file; an upper bound of the size of a snapshot. */
  dbSize: number;
  revision: number;
  raftIndex: number;
  raftAppliedIndex: number;
  raftTerm: number;
  /** `0` when it knows of none. */
  leader: string;
  isLearner: boolean;
  /** Alarms and lost leaders, in etcd's words. */
  errors: string[];
}

/** A line of the member list. @public */
export interface MemberEntry {
  memberId: string;
  /** Empty when it was never started. */
  name: string;
  peerUrls: string[];
  clientUrls: string[];
  isLearner: boolean;
}

/** @public */
export interface MemberAlarm {
  memberId: string;
  alarm: 'NOSPACE' | 'CORRUPT';
}

/** A snapshot on its way from a member. @public */
export interface SnapshotStream {
  /** Bytes of the whole file, its 32-byte trailer included. */
  size: number;
  /** To be read once, to its end. It ends well only when count, trailer and status of the call are right. */
  stream: AsyncIterable<Buffer>;
  /** Settles when the stream ended. */
  facts: Promise<SnapshotFacts>;
}

/** @public */
export interface SnapshotFacts {
  /** SHA-256 of all bytes of the file, in hex. */
  sha256: string;
  /** The last revision in it. */
  revision: number;
}

/** A live object of etcd. @public */
export interface KeyValue {
  key: Buffer;
  value: Buffer;
  createRevision: number;
  modRevision: number;
  version: number;
}

/** One etcd member, asked about itself; no call is ever answered by another member. @public */
export interface EtcdMember {
  /** Its member name, for messages. */
  readonly name: string;
  status(): Promise<MemberStatus>;
  members(): Promise<MemberEntry[]>;
  /** Hash of all keys up to a revision (its newest by default). */
  hashKV(
    revision?: number,
  ): Promise<{ hash: string; revision: number; compactRevision: number }>;
  alarms(): Promise<MemberAlarm[]>;
  disarm(alarm: MemberAlarm): Promise<void>;
  /** A read that needs a quorum and that this member caught up; answers the revision it saw. */
  linearizableRead(): Promise<number>;
  /** Keys of a prefix, at most `limit`, in the order of keys; from this member's own data. */
  range(
    prefix: string,
    options?: { limit?: number; revision?: number; keysOnly?: boolean },
  ): Promise<KeyValue[]>;
  /**
   * @param takeBlock - gives a buffer, of a multiple of 64 KiB, for each block of the stream; new ones of 512 KiB
   * where there is none
   */
  snapshot(
    signal: AbortSignal,
    takeBlock?: () => Buffer,
  ): Promise<SnapshotStream>;
  close(): Promise<void>;
}
