import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Lab, makeSeed, startLab } from '@cluster-backup/lab';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { checkout } from './Portal';
import { LabPortal, startPortal } from './startPortal';

const usage = `usage: ./dev demo [--nodes 1|3]

A portal with a cluster to back up, break and restore, until Ctrl-C.
  --nodes    control-plane nodes of the cluster (1)
`;

/** What a visitor may lose and get back. */
const TREASURE = { name: 'treasure', namespace: 'default' };

/** `./dev demo`. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      nodes: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || !['1', '3'].includes(values.nodes)) {
    process.stdout.write(usage);
    return values.help ? 0 : 64;
  }
  const interrupted = new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.once(signal, () => resolve());
    }
  });
  process.stderr.write('starting a cluster and a portal\n');
  const folder = await mkdtemp(join(tmpdir(), 'cluster-backup-demo-'));
  let lab: Lab | undefined;
  let started: LabPortal | undefined;
  try {
    const seed = await makeSeed({
      sizeMiB: 24,
      directory: join(checkout, '.cache/lab'),
    });
    lab = await startLab({
      nodes: Number(values.nodes) as 1 | 3,
      seed: seed.snapshotPath,
    });
    started = await startPortal(lab, folder);
    process.stdout.write(await invitation(lab, started, folder));
    await interrupted;
    process.stderr.write('\nending\n');
  } finally {
    await started?.portal.stop();
    await lab?.stop();
    await rm(folder, { recursive: true, force: true });
  }
  return 0;
}

/** Puts something of worth into the cluster, and tells how to lose it and to get it back. */
async function invitation(
  lab: Lab,
  { tabUrl, configured, logFile }: LabPortal,
  folder: string,
): Promise<string> {
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromString(await lab.kubeconfig());
  await kubeconfig.makeApiClient(CoreV1Api).createNamespacedConfigMap({
    namespace: TREASURE.namespace,
    body: { metadata: TREASURE, data: { where: 'under the third palm' } },
  });
  const { clusterName } = lab.access();
  const asAdmin = await writeCurlConfiguration(folder, kubeconfig);
  const { server } = kubeconfig.getCurrentCluster()!;
  const treasure = `${server}/api/v1/namespaces/${TREASURE.namespace}/configmaps/${TREASURE.name}`;
  return `
  ${tabUrl}

  1. Enter as a guest, and press "Back up now" in the tab Backup.
  2. Lose something of the cluster:
       curl -K ${asAdmin} -X DELETE ${treasure}
  3. Restore the backup in the same tab. It asks for the cluster's name, ${clusterName}, and for this file:
       ${configured.identityFile}
  4. It is there again:
       curl -K ${asAdmin} ${treasure}

  What the portal says of itself: ${logFile}
  Ctrl-C ends and removes all of it.

`;
}

/** What curl needs to be the cluster's administrator. */
async function writeCurlConfiguration(folder: string, kubeconfig: KubeConfig) {
  const { caData } = kubeconfig.getCurrentCluster()!;
  const { certData, keyData } = kubeconfig.getCurrentUser()!;
  const parts = { cacert: caData, cert: certData, key: keyData };
  const lines = ['silent', 'show-error'];
  for (const [name, data] of Object.entries(parts)) {
    const file = join(folder, `admin.${name}`);
    await writeFile(file, Buffer.from(data!, 'base64'), { mode: 0o600 });
    lines.push(`${name} = "${file}"`);
  }
  const file = join(folder, 'admin.curl');
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  return file;
}

main().then(
  code => {
    process.exitCode = code;
  },
  error => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  },
);
