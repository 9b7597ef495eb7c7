import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Lab } from './Lab';
import { startLab } from './startLab';

const usage = `usage: ./dev lab [--nodes 1|3] [--workers N] [--login root|sudo] [--seed FILE]

A control plane on this machine, until Ctrl-C.
  --nodes    control-plane nodes (1)
  --workers  workers (0)
  --login    root, or sudo for a user who has to use it (root)
  --seed     an etcd snapshot to begin with
`;

/** `./dev lab`. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      nodes: { type: 'string', default: '1' },
      workers: { type: 'string', default: '0' },
      login: { type: 'string', default: 'root' },
      seed: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { nodes, login, seed } = values;
  const workers = Number(values.workers);
  if (
    values.help ||
    !['1', '3'].includes(nodes) ||
    !['root', 'sudo'].includes(login) ||
    !Number.isInteger(workers) ||
    (seed && !existsSync(seed))
  ) {
    process.stdout.write(usage);
    return values.help ? 0 : 64;
  }
  const lab = await startLab({
    nodes: Number(nodes) as 1 | 3,
    workers,
    login: login as 'root' | 'sudo',
    seed,
  });
  const interrupted = new Promise<void>(resolve => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  await describe(lab);
  await interrupted;
  await lab.stop();
  return 0;
}

async function describe(lab: Lab): Promise<void> {
  const folder = join(lab.directory, 'access');
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, await lab.kubeconfig(), { mode: 0o600 });
  const lines = lab
    .access()
    .machines.map(
      ({ name, port, user }) =>
        `  ${name.padEnd(
          10,
        )}ssh -F none -i ${folder}/lab -o UserKnownHostsFile=${folder}/known_hosts -p ${port} ${user}@127.0.0.1`,
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
