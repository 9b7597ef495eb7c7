import { randomBytes, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import {
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  statfs,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { BackupStore, StoredFile } from './BackupStore';
import {
  errorCode,
  lstatIfThere,
  nameFile,
  syncDirectory,
  unlinkIfThere,
} from './disk';
import { isKeyPart, keyParts } from './storeKey';
import { Reading, writeAll } from './writeAll';

/** How much is read from the disk at a time. */
const CHUNK = 1024 * 1024;
/** No key can be its name: their parts do not begin with a dot. */
const IDENTITY_FILE = '.cluster-backup-store';
const PART_FILE = /^\..+\.[0-9a-f]{16}\.part$/;

class FilesystemStore implements BackupStore {
  readonly id: string;
  private readonly root: string;

  constructor(id: string, root: string) {
    this.id = id;
    this.root = root;
  }

  async put(
    key: string,
    source: AsyncIterable<Uint8Array>,
    options: { signal?: AbortSignal } = {},
  ): Promise<StoredFile> {
    const parts = keyParts(key);
    const name = parts.pop()!;
    const reading = new Reading(source, options.signal);
    let written = 0;
    try {
      const directory = await this.makeDirectory(parts);
      const path = join(directory, name);
      if (await lstatIfThere(path)) {
        throw this.exists(key);
      }
      const part = join(
        directory,
        `.${name}.${randomBytes(8).toString('hex')}.part`,
      );
      const file = await open(part, 'wx', 0o600);
      try {
        let modifiedAt: Date;
        try {
          await writeAll(file, reading, bytes => {
            written += bytes;
          });
          await file.sync();
          modifiedAt = (await file.stat()).mtime;
        } finally {
          await file.close();
        }
        options.signal?.throwIfAborted();
        await nameFile(part, path);
        return { key, size: written, modifiedAt };
      } finally {
        await unlinkIfThere(part);
      }
    } catch (error) {
      if (reading.failure) {
        throw reading.failure.error;
      }
      const problem =
        errorCode(error) === 'EEXIST'
          ? this.exists(key)
          : await this.putProblem(key, written, error);
      reading.end(problem);
      throw problem;
    }
  }

  async get(
    key: string,
    options: { signal?: AbortSignal } = {},
  ): Promise<Readable> {
    const path = await this.find(key);
    if (!path) {
      throw new ClusterBackupError({
        code: 'store-file-missing',
        message: `The store ${this.id} has no file ${key}.`,
        state: NOTHING_CHANGED,
        remedy: 'List the store to see what it has.',
        details: { store: this.id, key },
      });
    }
    try {
      const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
      return file.createReadStream({
        highWaterMark: CHUNK,
        signal: options.signal,
      });
    } catch (error) {
      throw this.problem(`can not read ${key}`, error);
    }
  }

  async head(key: string): Promise<StoredFile | undefined> {
    const path = await this.find(key);
    const found = path && (await lstatIfThere(path));
    return found
      ? { key, size: found.size, modifiedAt: found.mtime }
      : undefined;
  }

  async *list(prefix: string): AsyncGenerator<StoredFile, void, undefined> {
    try {
      for await (const { key, path, name } of this.walk(prefix)) {
        const found = isKeyPart(name) && (await lstatIfThere(path));
        if (found && key.startsWith(prefix)) {
          yield { key, size: found.size, modifiedAt: found.mtime };
        }
      }
    } catch (error) {
      throw this.problem(`can not list ${prefix || 'its files'}`, error);
    }
  }

  async remove(key: string): Promise<void> {
    const path = await this.find(key);
    if (path) {
      try {
        await unlinkIfThere(path);
        await syncDirectory(dirname(path));
      } catch (error) {
        throw this.problem(`can not remove ${key}`, error);
      }
    }
  }

  async sweep(before: Date): Promise<void> {
    try {
      for await (const { path, name } of this.walk('')) {
        const found = PART_FILE.test(name) && (await lstatIfThere(path));
        if (found && found.mtimeMs < before.getTime()) {
          await unlinkIfThere(path);
        }
      }
    } catch (error) {
      throw this.problem('can not remove what was left half-written', error);
    }
  }

  async identity(): Promise<string> {
    const path = join(this.root, IDENTITY_FILE);
    try {
      if (!(await lstatIfThere(path))) await this.makeIdentity(path);
      return (await readFile(path, 'utf8')).trim();
    } catch (error) {
      throw this.problem('can not tell which one it is', error);
    }
  }

  /** Of two that make it at once the first wins. */
  private async makeIdentity(path: string) {
    const part = `${path}.${randomBytes(8).toString('hex')}.part`;
    const file = await open(part, 'wx', 0o600);
    try {
      await file.writeFile(`${randomUUID()}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    try {
      await nameFile(part, path);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    } finally {
      await unlinkIfThere(part);
    }
  }

  /** Every file, in the order of keys within a directory; nothing behind a link. */
  private async *walk(
    prefix: string,
    parts: string[] = [],
  ): AsyncGenerator<{ key: string; path: string; name: string }> {
    const directory = join(this.root, ...parts);
    const found = await readdir(directory, { withFileTypes: true });
    found.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of found) {
      const below = [...parts, entry.name];
      const key = below.join('/');
      if (entry.isFile()) {
        yield { key, path: join(directory, entry.name), name: entry.name };
      } else if (
        entry.isDirectory() &&
        isKeyPart(entry.name) &&
        (key.startsWith(prefix) || prefix.startsWith(`${key}/`))
      ) {
        yield* this.walk(prefix, below);
      }
    }
  }

  /** Where a file is, when there is one. */
  private async find(key: string): Promise<string | undefined> {
    const parts = keyParts(key);
    let path = this.root;
    for (const [index, part] of parts.entries()) {
      path = join(path, part);
      const found = await lstatIfThere(path).catch(error => {
        throw this.problem(`can not look for ${key}`, error);
      });
      if (!found) {
        return undefined;
      }
      const last = index === parts.length - 1;
      if (found.isSymbolicLink()) {
        throw this.behindLink(path);
      }
      if (last ? !found.isFile() : !found.isDirectory()) {
        return undefined;
      }
    }
    return path;
  }

  private async makeDirectory(parts: string[]): Promise<string> {
    let path = this.root;
    for (const part of parts) {
      const parent = path;
      path = join(path, part);
      try {
        await mkdir(path, { mode: 0o700 });
        await syncDirectory(parent);
      } catch (error) {
        if (errorCode(error) !== 'EEXIST') {
          throw error;
        }
        if (!(await lstat(path)).isDirectory()) {
          throw this.behindLink(path);
        }
      }
    }
    return path;
  }

  private behindLink(path: string) {
    return new ClusterBackupError({
      code: 'store-not-plain',
      message: `In the store ${this.id}, ${path} is no plain file or directory.`,
      state: NOTHING_CHANGED,
      remedy:
        'Find out who put it there; a store holds plain files and directories only.',
      details: { store: this.id, path },
    });
  }

  private exists(key: string) {
    return new ClusterBackupError({
      code: 'store-file-exists',
      message: `The store ${this.id} has a file ${key} already.`,
      state: `That file was left as it is. ${NOTHING_CHANGED}`,
      remedy: 'Take the backup again; its name will hold another time.',
      details: { store: this.id, key },
    });
  }

  private async putProblem(
    key: string,
    written: number,
    error: unknown,
  ): Promise<unknown> {
    const code = errorCode(error);
    if (code !== 'ENOSPC' && code !== 'EDQUOT') {
      return this.problem(`can not store ${key}`, error);
    }
    const disk = await statfs(this.root).catch(() => undefined);
    const free = disk && disk.bavail * disk.bsize;
    const freeNow =
      free === undefined ? '' : ` ${mebibytes(free)} are free now.`;
    return new ClusterBackupError({
      code: 'store-full',
      message: `The store ${
        this.id
      } has no room for ${key}: its disk was full after ${mebibytes(written)}.`,
      state: `What was written of it was removed.${freeNow} ${NOTHING_CHANGED}`,
      remedy: 'Free or add space there, then take the backup again.',
      details: { store: this.id, key, written, free },
      cause: error,
    });
  }

  /** What the system refused, in words; anything else is somebody else's error and stays what it is. */
  private problem(what: string, error: unknown): unknown {
    const code = errorCode(error);
    const { syscall } = error as NodeJS.ErrnoException;
    if (code === undefined || syscall === undefined) {
      return error;
    }
    const refused = ['EACCES', 'EPERM', 'EROFS'].includes(code);
    return new ClusterBackupError({
      code: refused ? 'store-not-permitted' : 'store-failed',
      message: `The store ${this.id} ${what} (${syscall}: ${code}).`,
      state: NOTHING_CHANGED,
      remedy: refused
        ? `Let this process write below ${this.root}, on a file system that knows hard links.`
        : `Look at the disk that ${this.root} is on.`,
      details: { store: this.id, path: this.root, code, syscall },
      cause: error,
    });
  }
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024)} MiB`;
}

/**
 * A store in a directory of this machine. Files are 0600 in directories 0700; a file appears under its name only
 * when it is whole and on the disk.
 *
 * @throws ClusterBackupError `store-unavailable`
 * @public
 */
export async function openFilesystemStore(options: {
  id: string;
  path: string;
}): Promise<BackupStore> {
  const { id, path } = options;
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    return new FilesystemStore(id, await realpath(path));
  } catch (error) {
    throw new ClusterBackupError({
      code: 'store-unavailable',
      message: `The store ${id} can not be opened at ${path} (${errorCode(
        error,
      )}).`,
      state: NOTHING_CHANGED,
      remedy:
        'Give a directory that this process may read and, for backups, write; mount it if it is a mount point.',
      details: { store: id, path },
      cause: error,
    });
  }
}
