import { Readable } from 'node:stream';

/** @public */
export interface StoredFile {
  key: string;
  /** Bytes. */
  size: number;
  modifiedAt: Date;
  /** The store lets nobody remove it before then. */
  lockedUntil?: Date;
}

/**
 * Where archives are kept. Keys are `NAMESPACE/NAME/FILE`, of the characters `A-Z a-z 0-9 . _ - /`.
 *
 * @public
 */
export interface BackupStore {
  readonly id: string;
  /** Made once and kept in the store itself: replicas that read different ones see different disks. */
  identity(): Promise<string>;
  /**
   * Writes a file that does not exist yet. When it resolves the file is durable under its name; when it rejects
   * nothing is under that name.
   */
  put(
    key: string,
    source: AsyncIterable<Uint8Array>,
    options?: { signal?: AbortSignal },
  ): Promise<StoredFile>;
  get(key: string, options?: { signal?: AbortSignal }): Promise<Readable>;
  /** `undefined` when there is none. */
  head(key: string): Promise<StoredFile | undefined>;
  list(prefix: string): AsyncIterable<StoredFile>;
  /** Removing what is not there is no error. */
  remove(key: string): Promise<void>;
  /**
   * A file was read back and is right: where the store is configured to, it lets nobody remove it for a while.
   *
   * @returns until when
   */
  lock?(key: string): Promise<Date | undefined>;
  /** Removes what writers that died left half-written, if they began before then. */
  sweep(before: Date): Promise<void>;
}
