import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { BackupStore, openFilesystemStore } from '.';

const TRANSFORM = ['--require', '@backstage/cli/config/nodeTransform.cjs'];
const PUT_ENDLESSLY = join(__dirname, '__testUtils__', 'putEndlessly.ts');

let path: string;
let store: BackupStore;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'cluster-backup-'));
  store = await openFilesystemStore({ id: 'disk', path });
});
afterEach(async () => {
  await rm(path, { recursive: true, force: true });
});

async function* pieces(...texts: string[]) {
  for (const text of texts) {
    yield Buffer.from(text);
  }
}

async function textOf(key: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of await store.get(key)) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

async function keys(prefix: string): Promise<string[]> {
  const found = [];
  for await (const { key } of store.list(prefix)) {
    found.push(key);
  }
  return found;
}

async function everyFile(): Promise<string[]> {
  const found = await readdir(path, { recursive: true, withFileTypes: true });
  return found.filter(entry => !entry.isDirectory()).map(entry => entry.name);
}

describe('a store in a directory', () => {
  it('gives back what was put, and knows what it has', async () => {
    const put = await store.put('prod/lab/b', pieces('one ', '', 'two'));
    await store.put('prod/lab/a', pieces());
    await store.put('prod/labor/c', pieces('c'));
    expect(put).toEqual({
      key: 'prod/lab/b',
      size: 7,
      modifiedAt: expect.anything(),
    });
    expect(await store.head('prod/lab/b')).toEqual(put);
    expect(await textOf('prod/lab/b')).toBe('one two');
    expect(await textOf('prod/lab/a')).toBe('');
    expect(await keys('')).toEqual([
      'prod/lab/a',
      'prod/lab/b',
      'prod/labor/c',
    ]);
    expect(await keys('prod/lab/')).toEqual(['prod/lab/a', 'prod/lab/b']);
    expect(await keys('prod/lab')).toHaveLength(3);
    expect(await keys('other')).toEqual([]);

    await store.remove('prod/lab/b');
    await store.remove('prod/lab/b');
    await store.remove('never/there');
    expect(await store.head('prod/lab/b')).toBeUndefined();
    expect(await store.head('prod/lab')).toBeUndefined();
    await expect(store.get('prod/lab/b')).rejects.toMatchObject({
      code: 'store-file-missing',
    });
  });

  it('is for its owner alone', async () => {
    await store.put('prod/lab/a', pieces('secret'));
    expect((await stat(join(path, 'prod'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(path, 'prod/lab'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(path, 'prod/lab/a'))).mode & 0o777).toBe(0o600);
  });

  it('never replaces a file, not even in a race', async () => {
    const puts = await Promise.allSettled(
      ['a', 'b', 'c', 'd'].map(text => store.put('lab/x', pieces(text))),
    );
    const won = puts.findIndex(({ status }) => status === 'fulfilled');
    const lost = puts.filter(({ status }) => status === 'rejected');
    expect(lost).toHaveLength(3);
    for (const { reason } of lost as PromiseRejectedResult[]) {
      expect(reason).toMatchObject({ code: 'store-file-exists' });
    }
    expect(await textOf('lab/x')).toBe('abcd'[won]);

    let asked = false;
    async function* never() {
      asked = true;
      yield Buffer.alloc(1);
    }
    await expect(store.put('lab/x', never())).rejects.toMatchObject({
      code: 'store-file-exists',
    });
    expect(asked).toBe(false);
    expect(await everyFile()).toEqual(['x']);
  });

  it('keeps nothing of what did not end', async () => {
    const why = new Error('etcd died');
    async function* failing() {
      yield Buffer.alloc(5_000_000);
      throw why;
    }
    await expect(store.put('lab/x', failing())).rejects.toBe(why);
    expect(await everyFile()).toEqual([]);

    const stop = new AbortController();
    async function* silent() {
      yield Buffer.alloc(5_000_000);
      setTimeout(() => stop.abort(why), 20);
      await new Promise(() => {});
    }
    await expect(
      store.put('lab/x', silent(), { signal: stop.signal }),
    ).rejects.toBe(why);
    await expect(
      store.put('lab/x', pieces('x'), { signal: stop.signal }),
    ).rejects.toBe(why);
    expect(await everyFile()).toEqual([]);
    expect(await keys('')).toEqual([]);
  });

  it('stops reading when its signal says so', async () => {
    const why = new Error('enough');
    await store.put('lab/x', pieces('x'.repeat(5_000_000)));
    const stop = new AbortController();
    const reading = await store.get('lab/x', { signal: stop.signal });
    await expect(
      (async () => {
        for await (const _ of reading) {
          stop.abort(why);
        }
      })(),
    ).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('goes nowhere but down', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'cluster-backup-'));
    try {
      await writeFile(join(outside, 'file'), 'theirs');
      await mkdir(join(path, 'lab'));
      await symlink(outside, join(path, 'lab', 'away'));
      await symlink(join(outside, 'file'), join(path, 'lab', 'link'));
      await writeFile(join(path, 'file'), 'no directory');
      for (const key of [
        '',
        '/etc/passwd',
        '../file',
        'lab/../../file',
        'lab/./a',
        'lab//a',
        'lab/',
        'lab/.hidden',
        'lab/a b',
        'lab/a\0b',
        'lab/ä',
        `lab/${'a'.repeat(300)}`,
      ]) {
        for (const attempt of [
          store.put(key, pieces('x')),
          store.get(key),
          store.head(key),
          store.remove(key),
        ]) {
          await expect(attempt).rejects.toMatchObject({
            code: 'store-key-invalid',
          });
        }
      }
      for (const attempt of [
        store.put('lab/away/new', pieces('x')),
        store.get('lab/away/file'),
        store.get('lab/link'),
        store.remove('lab/away/file'),
        store.put('file/below', pieces('x')),
      ]) {
        await expect(attempt).rejects.toMatchObject({
          code: 'store-not-plain',
        });
      }
      await expect(store.put('lab/link', pieces('x'))).rejects.toMatchObject({
        code: 'store-file-exists',
      });
      expect(await keys('')).toEqual(['file']);
      expect(await readdir(outside)).toEqual(['file']);
      expect(await readFile(join(outside, 'file'), 'utf8')).toBe('theirs');
    } finally {
      await rm(outside, { recursive: true });
    }
  });

  it('tells a stream that fills it why it stopped', async () => {
    await store.put('lab/x', pieces('x'));
    const filling = Readable.from(pieces('y'));
    const error = once(filling, 'error');
    await expect(store.put('lab/x', filling)).rejects.toMatchObject({
      code: 'store-file-exists',
    });
    expect(await error).toEqual([
      expect.objectContaining({ code: 'store-file-exists' }),
    ]);
  });

  /** Puts until it fails, on a disk of its own, in a mount namespace that ends with the process. */
  async function putOnto(mountOptions: string) {
    const disk = join(path, 'disk');
    await mkdir(disk);
    const child = spawn('unshare', [
      '-m',
      'sh',
      '-c',
      'mount -t tmpfs -o "$1" tmpfs "$0" && shift && "$@" && df --output=used "$0" | tail -1 && find "$0" -type f',
      disk,
      mountOptions,
      process.execPath,
      ...TRANSFORM,
      PUT_ENDLESSLY,
      disk,
    ]);
    let output = '';
    child.stdout.on('data', chunk => (output += chunk));
    child.stderr.on('data', chunk => (output += chunk));
    await once(child, 'close');
    const [dots, result, used, ...files] = output.split('\n').slice(0, -1);
    return { dots, error: JSON.parse(result), used: used.trim(), files };
  }

  it('says that the disk is full, and leaves it as it was', async () => {
    const { dots, error, used, files } = await putOnto('size=4m');
    expect(dots).toMatch(/^\.+$/);
    expect(error).toEqual({
      code: 'store-full',
      message: expect.stringMatching(/no room for lab\/a\/file.*[34] MiB/),
      state: expect.stringMatching(
        /was removed\. [34] MiB are free now\. Nothing on the cluster was changed\.$/,
      ),
    });
    expect({ used, files }).toEqual({ used: '0', files: [] });
  });

  it('says that it may not write', async () => {
    const { dots, error } = await putOnto('ro');
    expect(dots).toBe('');
    expect(error).toMatchObject({ code: 'store-not-permitted' });
  });

  it('has nothing of a put whose process was killed, and sweeps it away in time', async () => {
    const child = spawn(process.execPath, [...TRANSFORM, PUT_ENDLESSLY, path]);
    try {
      let written = 0;
      for await (const dots of child.stdout) {
        written += dots.length;
        if (written > 20) {
          break;
        }
      }
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    const [part] = await everyFile();
    expect(part).toMatch(/^\.file\.[0-9a-f]{16}\.part$/);
    expect(await keys('')).toEqual([]);
    expect(await store.head('lab/a/file')).toBeUndefined();

    const anHourAgo = new Date(Date.now() - 60 * 60 * 1000);
    await store.sweep(anHourAgo);
    expect(await everyFile()).toEqual([part]);
    const before = new Date(anHourAgo.getTime() - 60_000);
    await utimes(join(path, 'lab', 'a', part), before, before);
    await store.sweep(anHourAgo);
    expect(await everyFile()).toEqual([]);
    await store.put('lab/a/file', pieces('again'));
    expect(await textOf('lab/a/file')).toBe('again');
  });

  it('knows which one it is, whoever asks first, and wherever it is mounted', async () => {
    const again = await openFilesystemStore({ id: 'other', path });
    const identities = await Promise.all(
      [store, again, store, again].map(each => each.identity()),
    );
    expect(new Set(identities).size).toBe(1);
    expect(identities[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(await everyFile()).toEqual(['.cluster-backup-store']);
    expect(await keys('')).toEqual([]);

    const another = await openFilesystemStore({
      id: 'disk',
      path: join(path, 'another'),
    });
    expect(await another.identity()).not.toBe(identities[0]);
  });

  it('says when it can not be opened', async () => {
    await writeFile(join(path, 'file'), '');
    await expect(
      openFilesystemStore({ id: 'disk', path: join(path, 'file', 'below') }),
    ).rejects.toMatchObject({ code: 'store-unavailable' });
  });
});
