import { randomBytes } from 'node:crypto';
import { constants, Stats } from 'node:fs';
import {
  access,
  FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  statfs,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { abortable } from '../abortable';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { errorCode, lstatIfThere, unlinkIfThere } from './disk';

/** How much is read from the disk at a time: a store that takes it in a minute is one of a few KiB a second. */
const CHUNK = 256 * 1024;
/** The system's place for what outlives a reboot; `/tmp` is often memory. */
const USUAL = '/var/tmp';
/** A file has its name for an instant only; what is older was left by a process that was killed in it. */
const LEFT_AFTER_MS = 60_000;

/** Tells how far a store is behind. */
export type Spooled = (bytes: {
  taken: number;
  /** Undefined as long as more comes. */
  total?: number;
}) => void;

/**
 * Gives a stream to a taker that may be slow: what it has not taken lies on the disk meanwhile, in a file without a
 * name, which is gone with this process. The source is read as fast as the disk writes.
 *
 * @param directory - where a folder of our own is made for it; the system's usual one when undefined
 * @throws ClusterBackupError `spool-unavailable`, `spool-full`, `spool-failed`, and what source and taker throw
 */
export async function throughDisk<T>(
  directory: string | undefined,
  source: AsyncIterable<Uint8Array>,
  take: (chunks: AsyncIterable<Uint8Array>) => Promise<T>,
  tell: Spooled = () => {},
): Promise<T> {
  const spool = await openSpool(directory);
  const { file } = spool;
  const stop = new AbortController();
  let written = 0;
  let ended = false;
  let failure: { error: unknown } | undefined;
  let wake = () => {};

  const write = async (chunk: Uint8Array) => {
    try {
      for (let at = 0; at < chunk.length; ) {
        const left = chunk.length - at;
        const { bytesWritten } = await file.write(chunk, at, left, written);
        at += bytesWritten;
        written += bytesWritten;
      }
    } catch (error) {
      throw await spoolProblem(spool, written, error);
    }
  };

  const fill = async () => {
    try {
      for await (const chunk of abortable(source, stop.signal)) {
        await write(chunk);
        wake();
      }
      ended = true;
    } catch (error) {
      failure = { error };
    }
    wake();
  };

  const moreWritten = () =>
    new Promise<void>(resolve => {
      wake = resolve;
    });

  async function* drain() {
    for (let at = 0; ; ) {
      if (failure) throw failure.error;
      if (at < written) {
        const buffer = Buffer.allocUnsafe(Math.min(CHUNK, written - at));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
        if (!bytesRead) throw await spoolProblem(spool, written);
        at += bytesRead;
        tell({ taken: at, total: ended ? written : undefined });
        yield buffer.subarray(0, bytesRead);
      } else if (ended) {
        return;
      } else {
        await moreWritten();
      }
    }
  }

  const filling = fill();
  try {
    return await take(drain());
  } catch (error) {
    // What a store makes of a stream that failed says less.
    throw failure ? failure.error : error;
  } finally {
    stop.abort(new Error('Nobody takes it any more.'));
    await filling;
    await file.close();
  }
}

interface Spool {
  folder: string;
  file: FileHandle;
}

async function openSpool(directory: string | undefined): Promise<Spool> {
  const folder = join(
    directory ?? (await usualDirectory()),
    `cluster-backup-spool-${process.getuid!()}`,
  );
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (!isOurs(await lstat(folder))) throw spoolNotOurs(folder);
    await sweepSpool(folder);
    const path = join(folder, randomBytes(8).toString('hex'));
    const file = await open(path, 'wx+', 0o600);
    await unlinkIfThere(path);
    return { folder, file };
  } catch (error) {
    if (error instanceof ClusterBackupError) throw error;
    throw spoolUnavailable(folder, error);
  }
}

async function usualDirectory(): Promise<string> {
  try {
    await access(USUAL, constants.W_OK);
    return USUAL;
  } catch {
    return tmpdir();
  }
}

/** Whoever else made the folder could look into it. */
function isOurs(folder: Stats): boolean {
  const isPrivate = (folder.mode & 0o077) === 0;
  return folder.isDirectory() && folder.uid === process.getuid!() && isPrivate;
}

async function sweepSpool(folder: string): Promise<void> {
  const before = Date.now() - LEFT_AFTER_MS;
  for (const name of await readdir(folder)) {
    const left = await lstatIfThere(join(folder, name));
    if (left && left.mtimeMs < before) await unlinkIfThere(join(folder, name));
  }
}

const REMEDY =
  'Or give another directory as useDisk of the store, with room for a whole archive.';

function spoolUnavailable(folder: string, cause: unknown) {
  return new ClusterBackupError({
    code: 'spool-unavailable',
    message: `The folder ${folder}, where an archive waits for a slow store, cannot be used (${
      errorCode(cause) ?? (cause as Error).message
    }).`,
    state: `${NOTHING_CHANGED} Nothing is under that name in this store.`,
    remedy: `Let this process write there. ${REMEDY}`,
    details: { folder },
    cause,
  });
}

function spoolNotOurs(folder: string) {
  return new ClusterBackupError({
    code: 'spool-unavailable',
    message: `${folder}, where an archive waits for a slow store, is not a folder of this process's user alone.`,
    state: `${NOTHING_CHANGED} Nothing is under that name in this store.`,
    remedy: `Find out who made it, and remove it or make it 0700. ${REMEDY}`,
    details: { folder },
  });
}

async function spoolProblem(
  { folder }: Spool,
  written: number,
  cause?: unknown,
): Promise<ClusterBackupError> {
  const disk = await statfs(folder).catch(() => undefined);
  const size = disk && disk.blocks * disk.bsize;
  const free = disk && disk.bavail * disk.bsize;
  const code = errorCode(cause);
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  const sizes =
    size !== undefined && free !== undefined
      ? ` Of its ${mebibytes(size)}, ${mebibytes(free)} are free.`
      : '';
  return new ClusterBackupError({
    code: isFull ? 'spool-full' : 'spool-failed',
    message: isFull
      ? `The disk of ${folder}, where an archive waits for a slow store, was full after ${mebibytes(
          written,
        )}.${sizes}`
      : `What waits in ${folder} for a slow store could not be ${
          cause ? 'written' : 'read'
        } (${code ?? 'it is shorter than what was written'}).`,
    state: `What was on the disk is gone. ${NOTHING_CHANGED} Nothing is under that name in this store.`,
    remedy: isFull ? `Free space there. ${REMEDY}` : 'Look at that disk.',
    details: { folder, written, size, free },
    cause,
  });
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024)} MiB`;
}
