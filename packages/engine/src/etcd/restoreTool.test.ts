import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClusterBackupError } from '../errors';
import { ControlPlaneNode } from '../layout/ControlPlaneNode';
import { findRestoreTool } from './restoreTool';
import { localMachine } from './__testUtils__/localMachine';

const signal = new AbortController().signal;
const IMAGE = 'registry.k8s.io/etcd:3.5.16-0';
const where = (program: string) =>
  execFileSync('which', [program], { encoding: 'utf8' }).trim();

describe('findRestoreTool', () => {
  let folder: string;
  let scratch: string;
  let bin: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cb-tool-'));
    scratch = join(folder, 'scratch');
    bin = join(folder, 'bin');
    mkdirSync(scratch);
    mkdirSync(bin);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** A node whose PATH holds the system's own programs and what `bin` holds. */
  const node = () =>
    ({
      machine: localMachine('cp1', ['env', `PATH=${bin}:/usr/bin:/bin`]),
      etcd: { image: IMAGE },
    } as unknown as ControlPlaneNode);
  const find = (version = '3.5.30') =>
    findRestoreTool(node(), { version, scratch, signal });

  function script(name: string, text: string) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  }

  /** containerd's ctr as far as images go: an image is a folder, mounted by a link to its content. */
  function containerd(programs: string[]) {
    const image = join(folder, 'image/usr/local/bin');
    mkdirSync(image, { recursive: true });
    for (const program of programs) {
      copyFileSync(where(program), join(image, program));
    }
    script(
      'ctr',
      `shift 2
case "$1 $2" in
'images ls') echo ${IMAGE} ;;
'images mount') cp -r ${folder}/image/. "$4" ;;
'images unmount') for last; do :; done; rm -r "$last"/* ;;
*) exit 1 ;;
esac`,
    );
  }

  async function missing(version?: string, code = 'etcd-tool-missing') {
    const error = await find(version).catch(e => e as ClusterBackupError);
    expect(error).toMatchObject({ code });
    return (error as ClusterBackupError).message;
  }

  it('brings an etcdutl of this machine where there is none', async () => {
    const carried = where('etcdutl');
    const options = { version: '3.5.30', scratch, carried, signal };
    expect(await findRestoreTool(node(), options)).toEqual({
      argvPrefix: [`${scratch}/carried-etcdutl`, 'snapshot', 'restore'],
      version: '3.5.16',
      source: 'carried',
      bumps: true,
    });
  });

  it('takes etcdutl on the PATH', async () => {
    copyFileSync(where('etcdutl'), join(bin, 'etcdutl'));
    expect(await find()).toEqual({
      argvPrefix: ['etcdutl', 'snapshot', 'restore'],
      version: '3.5.16',
      source: 'path',
      bumps: true,
    });
  });

  it('takes etcdutl out of the image, and leaves nothing else', async () => {
    script('etcdutl', 'echo "etcdutl version: 3.4.3"');
    containerd(['etcdctl', 'etcdutl']);
    const tool = await find();
    expect(tool).toEqual({
      argvPrefix: [join(scratch, 'etcdutl'), 'snapshot', 'restore'],
      version: '3.5.16',
      source: 'image',
      bumps: true,
    });
    expect(readdirSync(scratch)).toEqual(['etcdutl']);
    expect(execFileSync(tool.argvPrefix[0], ['version']).toString()).toContain(
      '3.5.16',
    );
  });

  it('takes etcdctl out of an image without etcdutl', async () => {
    containerd(['etcdctl']);
    expect(await find()).toMatchObject({
      argvPrefix: [
        'env',
        'ETCDCTL_API=3',
        join(scratch, 'etcdctl'),
        'snapshot',
        'restore',
      ],
      source: 'image',
    });
  });

  it('takes etcdctl on the PATH last', async () => {
    copyFileSync(where('etcdctl'), join(bin, 'etcdctl'));
    expect(await find()).toMatchObject({ source: 'etcdctl' });
  });

  it('says what it tried', async () => {
    script('etcdctl', 'echo "etcdctl version: 3.5.0"');
    containerd([]);
    const message = await missing(undefined, 'etcd-tool-cannot-bump');
    expect(message).toContain('cp1');
    expect(message).toContain('etcdutl on the PATH: not there');
    expect(message).toContain(`image ${IMAGE}: no etcdutl in it`);
    expect(message).toContain('version 3.5.0 cannot raise revisions');
    const options = { version: '3.5.30', scratch, signal, withoutBump: true };
    expect(await findRestoreTool(node(), options)).toEqual({
      argvPrefix: ['env', 'ETCDCTL_API=3', 'etcdctl', 'snapshot', 'restore'],
      version: '3.5.0',
      source: 'etcdctl',
      bumps: false,
    });
    rmSync(join(bin, 'etcdctl'));
    rmSync(join(bin, 'ctr'));
    copyFileSync(where('etcdutl'), join(bin, 'etcdutl'));
    expect(await missing('3.6.1')).toContain('needed is 3.6');
  });
});
