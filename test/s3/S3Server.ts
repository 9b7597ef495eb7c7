import { ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { checkout, freePort } from '../portal/Portal';

const PATIENCE_MS = 120_000;
const unpacked = join(checkout, '.tools/ceph');
const libraries = join(
  unpacked,
  'usr/lib',
  process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu',
);
const run = promisify(execFile);

/** A real S3 server on this machine: Ceph's, with everything in memory. */
export interface S3Server {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** As its operator asks it. */
  client: S3Client;
  createBucket(
    name: string,
    options?: { objectLock?: boolean; maxBytes?: number },
  ): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server; what it needs is kept in the folder, which is the caller's to remove. */
export async function startS3Server(folder: string): Promise<S3Server> {
  const program = (name: string) => join(unpacked, 'usr/bin', name);
  if (!existsSync(program('radosgw'))) {
    throw new Error('There is no Ceph in .tools; ./dev setup unpacks it.');
  }
  await mkdir(join(folder, 'osd'), { recursive: true });
  const fsid = randomUUID();
  const monitor = `[v2:127.0.0.1:${await freePort()}]`;
  const port = await freePort();
  const file = join(folder, 'ceph.conf');
  const keyring = join(folder, 'keyring');
  await writeFile(file, configuration({ folder, fsid, monitor, port }));

  const environment = {
    ...process.env,
    LD_LIBRARY_PATH: [
      libraries,
      join(libraries, 'ceph'),
      join(unpacked, 'lib', libraries.split('/').at(-1)!),
    ].join(':'),
    PYTHONPATH: join(unpacked, 'usr/lib/python3/dist-packages'),
    CEPH_CONF: file,
  };
  const doing = async (command: string, ...args: string[]) => {
    await run(command, args, {
      env: environment,
      cwd: folder,
      timeout: PATIENCE_MS,
    });
  };
  const running: ChildProcess[] = [];
  const starting = (name: string, ...args: string[]) => {
    const log = openSync(join(folder, `${name}.out`), 'a');
    // Whatever ends us ends them.
    const child = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', program(name), ...args, '-f'],
      { env: environment, cwd: folder, stdio: ['ignore', log, log] },
    );
    closeSync(log);
    running.push(child);
  };
  const stop = async () => {
    for (const child of running.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
  };

  try {
    for (const [name, ...allowed] of [
      ['mon.', 'mon', 'allow *'],
      ...['client.admin', 'client.rgw'].map(client => [
        client,
        ...['mon', 'allow *', 'osd', 'allow *', 'mgr', 'allow *'],
      ]),
      ['osd.0', 'mon', 'allow profile osd', 'osd', 'allow *'],
    ]) {
      const caps = allowed.map((word, i) => (i % 2 ? [word] : ['--cap', word]));
      await doing(
        program('ceph-authtool'),
        ...(existsSync(keyring) ? [] : ['--create-keyring']),
        ...[keyring, '--gen-key', '-n', name, ...caps.flat()],
      );
    }
    const map = join(folder, 'monmap');
    await doing(
      program('monmaptool'),
      ...['--create', '--addv', 'a', monitor, '--fsid', fsid, map],
    );
    await doing(
      program('ceph-mon'),
      ...['--mkfs', '-i', 'a', '--monmap', map, '--keyring', keyring],
    );
    starting('ceph-mon', '-i', 'a');

    const ceph = (...args: string[]) =>
      doing('python3', program('ceph'), '--connect-timeout', '60', ...args);
    const osd = randomUUID();
    await ceph('osd', 'new', osd);
    await doing(program('ceph-osd'), '-i', '0', '--mkfs', '--osd-uuid', osd);
    starting('ceph-osd', '-i', '0');
    await ceph(
      ...['osd', 'crush', 'add', 'osd.0', '1.0', 'root=default', 'host=here'],
    );

    starting('radosgw', '-n', 'client.rgw');
    await listening(port, () => {
      const ended = running.find(({ exitCode }) => exitCode !== null);
      return ended && `${ended.spawnargs.join(' ')} ended`;
    });
    const accessKeyId = randomBytes(10).toString('hex').toUpperCase();
    const secretAccessKey = randomBytes(20).toString('hex');
    await doing(
      program('radosgw-admin'),
      ...['user', 'create', '--uid=tests', '--display-name=tests'],
      ...[`--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`],
    );
    const endpoint = `http://127.0.0.1:${port}`;
    const client = new S3Client({
      endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
    await makePools(client);
    return {
      endpoint,
      accessKeyId,
      secretAccessKey,
      client,
      async createBucket(name, { objectLock = false, maxBytes } = {}) {
        await client.send(
          new CreateBucketCommand({
            Bucket: name,
            ObjectLockEnabledForBucket: objectLock,
          }),
        );
        if (maxBytes === undefined) return;
        const quota = [`--bucket=${name}`, '--quota-scope=bucket'];
        await doing(
          program('radosgw-admin'),
          ...['quota', 'set', ...quota, `--max-size=${maxBytes}`],
        );
        await doing(program('radosgw-admin'), ...['quota', 'enable', ...quota]);
      },
      async stop() {
        client.destroy();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw new Error(
      [String(error).slice(0, 2000), ...lastWords(folder)].join('\n'),
    );
  }
}

function configuration(options: {
  folder: string;
  fsid: string;
  monitor: string;
  port: number;
}): string {
  const { folder, fsid, monitor, port } = options;
  return `[global]
fsid = ${fsid}
mon host = ${monitor}
mon initial members = a
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = ${folder}/keyring
run dir = ${folder}
log file = ${folder}/$name.log
admin socket = ${folder}/$name.asok
mon data = ${folder}/mon
osd data = ${folder}/osd
mgr data = ${folder}/mgr
ms bind msgr1 = false
ms bind ipv6 = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
plugin dir = ${libraries}/ceph
erasure code dir = ${libraries}/ceph/erasure-code
osd class dir = ${libraries}/rados-classes
osd class load list = *
osd class default list = *
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
mon allow pool size one = true
osd objectstore = memstore
memstore device bytes = 2147483648
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:${port}
rgw thread pool size = 16
rgw bucket quota ttl = 0
`;
}

async function listening(port: number, ended: () => string | undefined) {
  const begun = Date.now();
  while (Date.now() - begun < PATIENCE_MS) {
    const why = ended();
    if (why) throw new Error(why);
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await sleep(200);
    } finally {
      socket.destroy();
    }
  }
  throw new Error(`Nothing listens on port ${port}.`);
}

/** The first who needs them waits for seconds. */
async function makePools(client: S3Client) {
  const object = { Bucket: 'first-of-all', Key: 'object' };
  await client.send(new CreateBucketCommand(object));
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand(object),
  );
  await client.send(new AbortMultipartUploadCommand({ ...object, UploadId }));
  await client.send(new PutObjectCommand({ ...object, Body: 'x' }));
}

function lastWords(folder: string): string[] {
  return ['ceph-mon', 'ceph-osd', 'radosgw']
    .map(name => join(folder, `${name}.out`))
    .filter(existsSync)
    .map(file => `${file}:\n${readFileSync(file, 'utf8').slice(-1500)}`);
}
