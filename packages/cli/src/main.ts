import { Command, Option } from 'commander';
import { collectYoungGarbage, engineVersion } from '@cluster-backup/engine';
import { backup } from './commands/backup';
import { check } from './commands/check';
import { accept, kept } from './commands/kept';
import { keygen } from './commands/keygen';
import { kubeconfig } from './commands/kubeconfig';
import { putBack } from './commands/putBack';
import { restore, resume, undo } from './commands/restore';
import { verify } from './commands/verify';

collectYoungGarbage();

const program = new Command('cluster-backup')
  .description(
    'Backs up and restores the control plane of a Kubernetes cluster',
  )
  .version(engineVersion);

const forCluster = (name: string, description: string) =>
  program
    .command(name)
    .description(description)
    .requiredOption('-c, --cluster <name>', 'the cluster in the configuration')
    .option('--config <file>', 'the configuration', 'cluster-backup.yaml');

const eachGiven = (value: string, earlier: string[] = []) => [
  ...earlier,
  value,
];

forCluster(
  'check',
  'look at everything that a backup or a restore needs',
).action(check);

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
  .action(backup);

const fromArchive = (command: Command) =>
  command
    .option('--backup-file <file>', 'an archive on this machine')
    .option('--backup <key>', 'an archive in the store')
    .option(
      '--store <id>',
      'a store of the configuration; the first by default',
    )
    .option('--identity <file>', 'the age identity that opens the archive')
    .option('--signer <fingerprint>', 'a signing key to trust');

const toRestore = (command: Command) =>
  fromArchive(command).option(
    '--confirm-digest <sha256>',
    'the archive that is meant, where no signer is trusted',
  );

toRestore(forCluster('restore', 'put a backup back'))
  .option('--dry-run', 'everything up to the commit, then take it back')
  .option(
    '--with-files',
    "put the archive's certificates, keys and manifests back too, of a replaced CA as well",
  )
  .option(
    '--leave-out <machine>',
    'a dead control-plane machine that is powered off and stays so; given as often as there are',
    (name: string, earlier: string[] = []) => [...earlier, name],
  )
  .action(restore);

toRestore(
  forCluster('resume', 'go on with a restore that was left half-way'),
).action(resume);

fromArchive(
  forCluster('undo', 'take back a restore that was left half-way'),
).action(undo);

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
  .action(putBack);

forCluster('kept', 'list the data that restores replaced and kept').action(
  kept,
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
  .action(accept);

fromArchive(
  forCluster('kubeconfig', 'make a kubeconfig that is good for an hour'),
)
  .option('--output <file>', 'a new file, instead of standard output')
  .action(kubeconfig);

fromArchive(
  program
    .command('verify')
    .description('read a whole archive and prove it')
    .option('--config <file>', 'the configuration', 'cluster-backup.yaml'),
).action(verify);

program
  .command('keygen')
  .description('make an age identity, and print the recipient to encrypt to')
  .argument('<file>', 'where to leave it; never overwritten')
  .action(keygen);

program.parseAsync();
