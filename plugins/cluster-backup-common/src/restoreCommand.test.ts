import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { restoreCommand } from './restoreCommand';

const backup = {
  key: 'default/lab/lab-2026.tar.gz.age',
  isEncrypted: true,
  signer: 'SHA256:a/b+c',
};

it.each([
  [
    'kubeadm',
    backup,
    'node cluster-backup.cjs restore -c lab --backup-file lab-2026.tar.gz.age --identity identity.txt --ssh-key ssh-key --signer SHA256:a/b+c',
  ],
  [
    'Google Distributed Cloud, not encrypted',
    { ...backup, gdc: {}, isEncrypted: false },
    'node cluster-backup.cjs restore -c lab --backup-file lab-2026.tar.gz.age --signer SHA256:a/b+c',
  ],
])('is complete for a cluster of %s', (_, of, command) =>
  expect(restoreCommand('lab', of).join(' ')).toBe(command),
);

it('says to a shell what it says to a person, whatever the names are', () =>
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
      text => {
        const name = text.replaceAll('\0', '-');
        const command = restoreCommand(name, backup).join(' ');
        const said = execFileSync(
          'sh',
          ['-c', `printf '%s\\001' ${command.replace('node ', '')}`],
          { encoding: 'utf8' },
        );
        expect(said.split('\u0001')[3]).toBe(name);
      },
    ),
    { numRuns: 50 },
  ));
