import { parseArgs } from 'node:util';
import { benchBackup } from './backup';
import { benchPortal } from './portal';
import { benchRestore } from './restore';

async function main() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      size: { type: 'string', default: '1024' },
      runs: { type: 'string', default: '5' },
      rtt: { type: 'string', default: '0' },
      nodes: { type: 'string' },
    },
  });
  const options = {
    sizeMiB: Number(values.size),
    runs: Number(values.runs),
    rttMs: Number(values.rtt),
    tell: (line: string) => process.stderr.write(`${line}\n`),
  };
  const [bench] = positionals;
  switch (bench) {
    case 'backup':
      return benchBackup({
        ...options,
        nodes: Number(values.nodes ?? 1) as 1 | 3,
      });
    case 'restore':
      return benchRestore(options);
    case 'portal':
      return benchPortal(options);
    default:
      throw new Error(`There is no bench ${bench}: backup, restore or portal.`);
  }
}

main().then(
  result => process.stdout.write(`${JSON.stringify(result)}\n`),
  error => {
    process.stderr.write(`${error?.stack ?? error}\n`);
    process.exitCode = 1;
  },
);
