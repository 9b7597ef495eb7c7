import { Command, CommanderError, Option } from 'commander';
import { version } from '../package.json';

/** 64 of sysexits.h: the command was not understood. */
const MISUSED = 64;

type Commands = typeof import('./commands');

/** The engine is read when something is to be done, and not to print help. */
const run =
  <Name extends keyof Commands>(name: Name) =>
  async (...given: unknown[]) => {
    const commands = await import('./commands');
    const { collectYoungGarbage } = await import('@cluster-backup/engine');
    collectYoungGarbage();
    const act = commands[name] as (...args: unknown[]) => Promise<void>;
    await act(...given);
  };

const program = new Command('cluster-backup')
  .description(
    'Backs up and restores the control plane of a Kubernetes cluster.',
  )
  .version(version)
  .exitOverride();

const eachGiven = (value: string, earlier: string[] = []) => [
  ...earlier,
  value,
];

const toTell = (command: Command) =>
  command.addOption(
    new Option('--output <form>', 'what is printed at the end')
      .choices(['text', 'json'])
      .default('text'),
  );

const configured = (command: Command) =>
  toTell(command).option(
    '--config <file>',
    'the configuration (default: cluster-backup.yaml, if it is there)',
  );

const forCluster = (name: string, description: string) =>
  configured(program.command(name).description(description))
    .requiredOption('-c, --cluster <name>', 'the name of the cluster')
    .option(
      '--kubeconfig <file>',
      'of a cluster of Google Distributed Cloud that is not configured, or of the one that manages it',
    )
    .option(
      '--ssh-key <file>',
      'the private key that opens its machines, instead of the configured one',
    );

const fromArchive = (command: Command) =>
  command
    .option('--backup-file <file>', 'an archive; - is standard input')
    .option('--backup <key>', 'an archive in a store, as list tells it')
    .option(
      '--store <id>',
      'a store of the configuration; the first by default',
    )
    .option('--identity <file>', 'the age identity that opens the archive')
    .option('--signer <fingerprint>', 'a signing key to trust')
    .option(
      '--use-disk [directory]',
      'where an archive from standard input lies meanwhile',
    );

const toRestore = (command: Command) =>
  fromArchive(command).option(
    '--confirm-digest <sha256>',
    'the archive that is meant, where no signer is trusted',
  );

forCluster(
  'check',
  'look at everything that a backup or a restore needs',
).action(run('check'));

forCluster('backup', 'take a backup into the stores')
  .option(
    '--store <id>',
    'a store of the configuration, given as often as there are; all by default',
    eachGiven,
  )
  .option(
    '--name <name>',
    "the file's name, instead of CLUSTER_backup_TIMESTAMP; its ending is added",
  )
  .addOption(
    new Option(
      '--backup-file <file>',
      'a file to write instead of the stores',
    ).conflicts(['store', 'name']),
  )
  .option(
    '--use-disk [directory]',
    "what a slow store has not taken waits on this machine's disk, encrypted",
  )
  .option(
    '--without-quorum',
    'when etcd lost its quorum, back up the member with the latest data, running or stopped',
  )
  .option('--reason <text>', 'why; --without-quorum is refused without one')
  .addOption(
    new Option(
      '--kept <operation>',
      'back up the data that a restore replaced and kept',
    ).conflicts('withoutQuorum'),
  )
  .option(
    '--prove',
    'open what was stored, as a restore would, before it counts',
  )
  .action(run('backup'));

toRestore(forCluster('restore', 'put a backup back'))
  .option('--dry-run', 'everything up to the commit, then take it back')
  .option('--yes', 'do not ask; for scripts')
  .option(
    '--with-files',
    "put the archive's certificates, keys and manifests back too, of a replaced CA as well",
  )
  .option(
    '--leave-out <machine>',
    'a dead control-plane machine that is powered off and stays so; given as often as there are',
    eachGiven,
  )
  .option(
    '--override <code>',
    'the code of a refusal that is not to stop this restore, given as often as there are',
    eachGiven,
  )
  .option(
    '--reason <text>',
    'why; --with-files, --leave-out and --override are refused without one',
  )
  .addHelpText(
    'after',
    `
Where nothing is configured the archive says where the machines are. One of an admin, hybrid or standalone cluster of
Google Distributed Cloud has the key that opens them too:

  cluster-backup restore -c NAME --backup-file FILE --identity KEY

For other clusters add --ssh-key FILE. What is replaced is backed up beside the archive first, if any member answers,
and kept on the machines. Nothing stops before everything was proven; --dry-run ends there.

Ctrl-C takes back what was begun. Past its point of no return, when the first API server is started, a restore goes on.
A restore that was killed is finished with resume, or taken back with undo, from this machine or any other.`,
  )
  .action(run('restore'));

toRestore(
  forCluster('resume', 'go on with a restore that was left half-way'),
).action(run('resume'));

fromArchive(
  forCluster('undo', 'take back a restore that was left half-way'),
).action(run('undo'));

toRestore(
  forCluster(
    'put-back',
    'show how what manages a cluster differs from an archive, or put some of it back',
  ),
)
  .option(
    '--secret <namespace/name>',
    'a Secret to put back, given as often as there are',
    eachGiven,
  )
  .option('--missing', 'create the objects that are missing')
  .action(run('putBack'));

forCluster('kept', 'list the data that restores replaced and kept').action(
  run('kept'),
);

forCluster(
  'accept',
  'remove the data that a restore replaced and kept; there is no way back to it',
)
  .option('--restore <operation>', 'the restore, as kept names it')
  .addOption(
    new Option(
      '--older-than-days <days>',
      'every restore that began so many days ago',
    ).argParser(Number),
  )
  .action(run('accept'));

fromArchive(
  forCluster('kubeconfig', 'make a kubeconfig that is good for an hour'),
)
  .option('--file <file>', 'a new file, instead of standard output')
  .action(run('kubeconfig'));

fromArchive(
  configured(
    program.command('verify').description('read a whole archive and prove it'),
  ),
).action(run('verify'));

configured(
  program
    .command('show')
    .description('tell what an archive is, from the summary beside it'),
)
  .option('--backup-file <file>', 'an archive')
  .option('--backup <key>', 'an archive in a store, as list tells it')
  .option('--store <id>', 'a store of the configuration; the first by default')
  .option('--signer <fingerprint>', 'a signing key to trust')
  .action(run('show'));

configured(program.command('list').description('list the backups in a store'))
  .option('-c, --cluster <name>', 'of this cluster only')
  .option('--store <id>', 'a store of the configuration; the first by default')
  .option('--signer <fingerprint>', 'a signing key to trust')
  .action(run('list'));

configured(
  program
    .command('import')
    .description('bring an archive into a store, with the summary beside it'),
)
  .requiredOption('--backup-file <file>', 'the archive')
  .option('--store <id>', 'a store of the configuration; the first by default')
  .option('--signer <fingerprint>', 'a signing key to trust')
  .action(run('importArchive'));

toTell(
  program
    .command('keygen')
    .description('make an age identity, and print the recipient to encrypt to'),
)
  .argument('<file>', 'where to leave it; never overwritten')
  .action(run('keygen'));

program.addHelpText(
  'after',
  `
A first backup:
  cluster-backup keygen identity.txt            prints the recipient for the configuration
  cluster-backup check -c NAME                  what would keep a backup or a restore from being
  cluster-backup backup -c NAME

The day it is needed:
  cluster-backup list -c NAME
  cluster-backup restore -c NAME --backup KEY --identity identity.txt

It ends with 0 when all was done, 64 when it was not understood, 69 when it was refused or something was not there,
70 at a defect of its own, 75 when a store lacks its copy, 130 when it was stopped and all was taken back.
Results go to standard output, everything else to standard error.`,
);

program.parseAsync().catch((error: unknown) => {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : MISUSED;
});
