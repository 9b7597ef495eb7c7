import { Description } from '../archive';
import { fingerprintOf } from '../machine/hostKeys';
import { byHand } from './byHand';
import { code, plain, shell, table } from './markdown';
import { RunbookBackup, RunbookFacts } from './RunbookFacts';

/**
 * What to do with a cluster where the portal is gone, as Markdown (GitHub's): for a person at night, with a print of it
 * and an archive. It has no secret in it.
 *
 * @public
 */
export function writeRunbook(facts: RunbookFacts): string {
  const { cluster, writtenAt, description, backups } = facts;
  const newest =
    backups.find(({ isBeforeRestore }) => !isBeforeRestore) ?? backups[0];
  const sections = [
    `# Runbook: ${plain(cluster)} without the portal`,
    `As of ${writtenAt}. There is no secret in it: keep it where the identities are kept, and print it anew after each change of machines, stores or keys.`,
    'Restore as the last resort: it replaces all that etcd holds. A member that is lost while the others have a quorum is replaced (`etcdctl member remove`, `kubeadm join`), and single objects are put back from the archive.',
    ...neededSection(facts),
    ...backupsSection(facts),
    ...(description ? machinesSection(description) : []),
    ...(newest ? commandSection(newest, description) : []),
    ...(newest && description
      ? byHand({ archive: newest, description })
      : [
          'No backup of this cluster could be read when this was written, so there are no steps by hand in it.',
        ]),
  ];
  return `${sections.join('\n\n')}\n`;
}

function neededSection(facts: RunbookFacts): string[] {
  const { recipients, description } = facts;
  return [
    '## What is needed',
    [
      '- **An archive**, and where it lies: see below.',
      recipients.length
        ? '- **An identity** that opens it: one of those in the next table. The portal never had any.'
        : '- No identity: archives are not encrypted from now on. Older ones may be.',
      description?.cluster.layout === 'gdc'
        ? '- **Nothing to reach the machines with**: the SSH key is in the archive.'
        : '- **The SSH key** that opens the machines, as the file `ssh-key`.',
      '- **`cluster-backup.cjs`** and Node.js 22 or 24; or, by hand, `age`, `tar`, `etcdutl`, `ssh` and, on the machines, `crictl`, `systemctl` and `kubectl`.',
    ].join('\n'),
    ...(recipients.length
      ? [
          table(
            ['Recipient', 'Its identity was shown by', 'on'],
            recipients.map(({ recipient, provenBy, provenAt }) => [
              code(recipient),
              provenBy ? code(provenBy) : 'nobody yet',
              provenAt ?? '',
            ]),
          ),
        ]
      : []),
  ];
}

function backupsSection(facts: RunbookFacts): string[] {
  const { backups, stores, expireAfterDays } = facts;
  return [
    '## Where the archives are',
    table(
      ['Store', 'Place'],
      stores.map(({ id, place }) => [code(id), code(place)]),
    ),
    ...(backups.length
      ? [
          `The newest ones. An archive is not restored ${expireAfterDays} days after it was taken.`,
          table(
            ['Taken', 'Archive', 'In', 'Bytes', 'Revision', 'SHA-256'],
            backups.map(({ createdAt, key, stores: ids, ...backup }) => [
              backup.isBeforeRestore
                ? `${createdAt}, before a restore: what it replaced`
                : createdAt,
              code(key),
              ids.map(code).join(', '),
              String(backup.size),
              String(backup.revision),
              code(backup.sha256),
            ]),
          ),
          `Archives are signed by ${[
            ...new Set(backups.map(({ signer }) => signer)),
          ]
            .map(code)
            .join(
              ', ',
            )}. Whoever knows a recipient can make an archive that opens; nobody else can sign it so, or give it the digest above.`,
        ]
      : ['The portal knew of no backup of this cluster.']),
  ];
}

function machinesSection({ nodes, workers, versions }: Description): string[] {
  const row = (
    machine: Description['workers'][number],
    what: string,
  ): string[] => [
    code(machine.name),
    what,
    code(machine.address),
    `${code(machine.user ?? 'root')}, port ${machine.port ?? 22}`,
    code(fingerprintOf(machine.hostKey)),
  ];
  const { kubernetes, etcd, gdc } = versions;
  const programs = [
    ...(gdc ? [`Google Distributed Cloud ${plain(gdc)}`] : []),
    ...(kubernetes ? [`Kubernetes ${plain(kubernetes)}`] : []),
    `etcd ${plain(etcd)}`,
  ];
  return [
    '## The machines',
    `${programs.join(', ')}, as of the newest backup.`,
    table(
      ['Machine', 'Runs', 'Address', 'SSH', 'Host key'],
      [
        ...nodes.map(node => row(node, `etcd member ${code(node.etcd.name)}`)),
        ...workers.map(worker => row(worker, 'workloads')),
      ],
    ),
  ];
}

function commandSection(
  { command }: RunbookBackup,
  description: Description | undefined,
): string[] {
  const typed = (verb = 'restore', ...more: string[]) =>
    [
      command[0].replace(' restore ', ` ${verb} `),
      ...command.slice(1),
      ...more,
    ].join(' \\\n  ');
  return [
    '## With the command',
    'In a folder with the archive and its keys, on a machine that reaches the others. First what would happen, which changes nothing:',
    shell(typed('restore', '--dry-run')),
    'Then the restore. It asks for the name of the cluster, keeps what it replaces on the machines, and may be stopped with Ctrl-C at any point:',
    shell(typed()),
    'If it was cut off, by whatever it was, go on with it, or take it back as long as no API server has started on the restored data:',
    shell(typed('resume')),
    shell(typed('undo')),
    ...(description?.cluster.managedBy
      ? [
          `${plain(description.cluster.name)} is managed by ${plain(
            description.cluster.managedBy,
          )}: with \`--kubeconfig FILE\` of that one, what is there now is looked at first.`,
        ]
      : []),
  ];
}
