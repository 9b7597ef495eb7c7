import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkout } from './bundle';
import { Lab } from './Lab';
import { makeSeed } from './seed';
import { startLab } from './startLab';

const usage = `usage: ./dev lab [--nodes 1|3] [--workers N] [--login root|sudo] [--seed-mib N]

A control plane on this machine, until Ctrl-C.
  --nodes    control-plane nodes (1)
  --workers  workers (0)
  --login    root, or sudo for a user who has to use it (root)
  --seed-mib about so many MiB of believable objects in etcd (none)
`;

/** `./dev lab`. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      nodes: { type: 'string', default: '1' },
      workers: { type: 'string', default: '0' },
      login: { type: 'string', default: 'root' },
      'seed-mib': { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  });
  const { nodes, login } = values;
  const workers = Number(values.workers);
  const sizeMiB = Number(values['seed-mib']);
  if (
    values.help ||
    !['1', '3'].includes(nodes) ||
    !['root', 'sudo'].includes(login) ||
    !Number.isInteger(workers) ||
    !Number.isInteger(sizeMiB)
  ) {
    process.stdout.write(usage);
    return values.help ? 0 : 64;
  }
  const lab = await startLab({
    nodes: Number(nodes) as 1 | 3,
    workers,
    login: login as 'root' | 'sudo',
    seed: sizeMiB ? await seedFile(sizeMiB) : undefined,
  });
  const interrupted = new Promise<void>(resolve => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  try {
    await describe(lab);
    await interrupted;
  } finally {
    await lab.stop();
  }
  return 0;
}

/** Kept between runs. */
async function seedFile(sizeMiB: number): Promise<string> {
  const directory = join(checkout, '.cache', 'lab');
  return (await makeSeed({ sizeMiB, directory })).snapshotPath;
}

async function describe(lab: Lab): Promise<void> {
  const folder = join(lab.directory, 'access');
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, await lab.kubeconfig(), { mode: 0o600 });
  const lines = lab
    .access()
    .machines.map(
      ({ name, address, port, user }) =>
        `  ${name.padEnd(
          10,
        )}ssh -F none -i ${folder}/lab -o UserKnownHostsFile=${folder}/known_hosts -p ${port} ${user}@${address}`,
    );
  process.stdout.write(
    [
      'The lab is up.',
      ...lines,
      `  API       kubectl --kubeconfig ${kubeconfig}`,
      'Ctrl-C ends it and removes it.',
      '',
    ].join('\n'),
  );
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
