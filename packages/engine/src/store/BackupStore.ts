import { Readable } from 'node:stream';

/** @public */
export interface StoredFile {
  key: string;
  /** Bytes. */
  size: number;
  modifiedAt: Date;
}

/**
 * Where archives are kept. Keys are `NAMESPACE/NAME/FILE`, of the characters `A-Z a-z 0-9 . _ - /`.
 *
 * @public
 */
export interface BackupStore {
  readonly id: string;
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
}
