import { copyFile, link, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SupervisorOptions } from '../protocol';

/** Lays out what the container images hold: the programs, where the images have them. */
export async function writeImages(
  directory: string,
  programs: SupervisorOptions['programs'],
): Promise<void> {
  const place = async (image: string, name: string, source: string) => {
    const target = join(directory, image, 'usr/local/bin', name);
    await mkdir(join(target, '..'), { recursive: true });
    await link(source, target).catch(() => copyFile(source, target));
  };
  await place('etcd', 'etcd', programs.etcd);
  await place('etcd', 'etcdctl', programs.etcdctl);
  await place('etcd', 'etcdutl', programs.etcdutl);
  for (const [name, source] of Object.entries(programs.kubernetes)) {
    await place(name, name, source);
  }
  const script = async (name: string, command: string) => {
    const folder = join(directory, name, 'usr/local/bin');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, name), `#!/bin/sh\nexec ${command}\n`, {
      mode: 0o755,
    });
  };
  for (const [name, bundle] of Object.entries(programs.standIns)) {
    if (programs.kubernetes[name]) continue;
    await script(
      name,
      `/run/lab/node /run/lab/checkout/packages/lab/dist/${bundle} "$@"`,
    );
  }
  // The lab's front balances; these are there to be left alone.
  await script('haproxy', 'sleep infinity');
  await script('keepalived', 'sleep infinity');
}
