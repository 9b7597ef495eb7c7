import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Lab, makeSeed, startLab } from '@cluster-backup/lab';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { contentsAt, differences, WRITTEN_BY_ITSELF } from '../proof/contents';
import { watchConfigMaps } from '../proof/informer';
import { membersAgree } from '../proof/members';
import { asCommand } from './command';
import { asPortal } from './portal';
import { Product } from './product';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '3' },
    login: { type: 'string', default: 'root' },
    size: { type: 'string', default: '24' },
    portal: { type: 'boolean', default: false },
  },
});

const say = (text: string) => process.stderr.write(`\n== ${text}\n`);

/** The story that the product exists for: back up, lose, restore, prove. */
async function smoke() {
  const folder = await mkdtemp(join(tmpdir(), 'cluster-backup-smoke-'));
  let lab: Lab | undefined;
  let product: Product | undefined;
  try {
    say(`lab: ${values.nodes} control-plane node(s), login ${values.login}`);
    const seed = await makeSeed({
      sizeMiB: Number(values.size),
      directory: join(folder, 'seed'),
      cacheDirectory: resolve('.cache/lab'),
    });
    lab = await startLab({
      nodes: Number(values.nodes) as 1 | 3,
      workers: 1,
      login: values.login as 'root' | 'sudo',
      seed: seed.snapshotPath,
    });
    const way = values.portal ? asPortal : asCommand;
    const { check, backUp, restore } = (product = await way(lab, folder));

    say('check');
    await check();

    say('backup');
    const watcher = await watchConfigMaps(await lab.kubeconfig());
    const backedUp = await timed(backUp);
    const { revision, snapshotBytes, archiveBytes } = backedUp.result;
    const expected = await contentsAt(lab.nodes[0], revision);

    say('damage');
    const api = await damage(lab);
    const lost = await stopMembers(lab);

    say('restore');
    const restored = await timed(() => restore(backedUp.result));
    const { outageSeconds, bump } = restored.result;

    say('proof');
    process.stderr.write(`not compared: ${WRITTEN_BY_ITSELF.join(', ')}\n`);
    const told = [
      ...differences(expected, await contentsAt(lab.nodes[0])),
      ...(await membersAgree(lab.nodes)),
      ...(await informerAgrees(watcher, api)),
    ];
    await watcher.stop();
    told.slice(0, 20).forEach(line => process.stderr.write(`${line}\n`));
    return {
      ok: told.length === 0,
      nodes: lab.nodes.length,
      login: values.login,
      keys: expected.size,
      differences: told.length,
      membersLost: lost,
      sizes: { snapshotBytes, archiveBytes },
      seconds: { backup: backedUp.seconds, restore: restored.seconds },
      outageSeconds,
      revisions: { archive: revision, bump },
      ...(values.portal && { portal: true }),
    };
  } finally {
    await product?.stop();
    await lab?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Deletes, changes and adds objects through the API, as a person with the wrong context would. */
async function damage(lab: Lab): Promise<CoreV1Api> {
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromString(await lab.kubeconfig());
  const api = kubeconfig.makeApiClient(CoreV1Api);
  const { items } = await api.listConfigMapForAllNamespaces({ limit: 60 });
  for (const [i, item] of items.entries()) {
    const { name, namespace } = item.metadata as {
      name: string;
      namespace: string;
    };
    if (i % 3 === 0) await api.deleteNamespacedConfigMap({ name, namespace });
    else if (i % 3 === 1) {
      item.data = { replaced: 'by mistake' };
      await api.replaceNamespacedConfigMap({ name, namespace, body: item });
    } else {
      await api.createNamespacedConfigMap({
        namespace,
        body: { metadata: { name: `after-the-backup-${i}` }, data: {} },
      });
    }
  }
  return api;
}

/** The data of a majority is gone: no quorum, no API. */
async function stopMembers(lab: Lab): Promise<string[]> {
  const lost = lab.nodes.slice(0, Math.ceil((lab.nodes.length + 1) / 2));
  for (const node of lost) {
    await node.exec([
      'sh',
      '-c',
      'rm -rf /var/lib/etcd/member; pkill -9 -x etcd',
    ]);
  }
  return lost.map(node => node.name);
}

/** The informer catches up by itself; the objects it believes in are then exactly those of the API. */
async function informerAgrees(
  watcher: { believed(): Map<string, string> },
  api: CoreV1Api,
): Promise<string[]> {
  let told: string[] = [];
  for (let i = 0; i < 60; i++) {
    const { items } = await api.listConfigMapForAllNamespaces();
    const truth = new Map(
      items.map(({ metadata }) => [
        `${metadata!.namespace}/${metadata!.name}`,
        metadata!.resourceVersion!,
      ]),
    );
    const believed = watcher.believed();
    told = [
      ...[...truth]
        .filter(([name, version]) => believed.get(name) !== version)
        .map(([name]) => `the informer does not know ${name} as it is`),
      ...[...believed.keys()]
        .filter(name => !truth.has(name))
        .map(name => `the informer believes in ${name}`),
    ];
    if (!told.length) return [];
    await sleep(1000);
  }
  return told;
}

async function timed<T>(act: () => Promise<T>) {
  const start = Date.now();
  const result = await act();
  return { result, seconds: (Date.now() - start) / 1000 };
}

smoke().then(
  result => {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    process.exitCode = result.ok ? 0 : 1;
  },
  error => {
    process.stderr.write(`${error?.stack ?? error}\n`);
    process.stdout.write(
      `${JSON.stringify({
        ok: false,
        error: String(error?.message ?? error),
      })}\n`,
    );
    process.exitCode = 1;
  },
);
