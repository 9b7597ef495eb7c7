import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { sampleDescription } from '../archive/__testUtils__/sampleArchive';
import { RunbookFacts } from './RunbookFacts';
import { writeRunbook } from './writeRunbook';

const description = sampleDescription(4096);
const backup = {
  createdAt: '2026-11-22T14:15:00.123Z',
  key: 'default/lab/lab_backup_2026-11-22T141500Z.tar.gz.age',
  stores: ['local', 'away'],
  size: 1234,
  revision: 42,
  sha256: 'ab'.repeat(32),
  signer: 'SHA256:abc',
  isEncrypted: true,
  isBeforeRestore: false,
  command: [
    'node cluster-backup.cjs restore -c lab',
    '--backup-file lab_backup_2026-11-22T141500Z.tar.gz.age',
    '--signer SHA256:abc',
  ],
};
const facts: RunbookFacts = {
  cluster: 'lab',
  writtenAt: '2026-11-23T00:00:00.000Z',
  backups: [backup],
  description,
  stores: [
    { id: 'local', place: "/srv/backups, on the portal's machines" },
    { id: 'away', place: 's3://vault/lab/ at https://s3.example.com' },
  ],
  recipients: [
    {
      recipient: 'age1abc',
      provenBy: 'user:default/ada',
      provenAt: '2026-11-01T00:00:00.000Z',
    },
    { recipient: 'age1def' },
  ],
  expireAfterDays: 365,
};

const BLOCK = /^(`{3,})sh\n([\s\S]*?)\n\1$/gm;

/** The commands, as they are printed. */
function blocksOf(runbook: string): string[] {
  return [...runbook.matchAll(BLOCK)].map(([, , block]) => block);
}

/** What else a runbook is made of. */
function structureOf(runbook: string) {
  const lines = runbook.replace(BLOCK, '').split('\n');
  const beginningWith = (sign: string) =>
    lines.filter(line => line.startsWith(sign)).length;
  return ['#', '|', '- ', '```'].map(beginningWith);
}

it('says where everything is, which key is needed and who holds it', () => {
  const runbook = writeRunbook(facts);
  for (const told of [
    '| `cp1` | etcd member `cp1` | `192.0.2.1` | `root`, port 22 | `SHA256:',
    '| `w1` | workloads | `192.0.2.9` |',
    '| `age1abc` | `user:default/ada` | 2026-11-01T00:00:00.000Z |',
    '| `age1def` | nobody yet |  |',
    '| `away` | `s3://vault/lab/ at https://s3.example.com` |',
    'Archives are signed by `SHA256:abc`',
    '--signer SHA256:abc \\\n  --dry-run',
    'node cluster-backup.cjs undo -c lab \\\n  --backup-file',
    '--initial-cluster cp1=https://192.0.2.1:2380,cp2=https://192.0.2.1:2380',
  ]) {
    expect(runbook).toContain(told);
  }
});

it('is about the newest backup that is not of what a restore replaced', () => {
  const before = {
    ...backup,
    key: 'default/lab/before.tar.gz.age',
    createdAt: '2026-11-23T00:00:00.000Z',
    isBeforeRestore: true,
  };
  const runbook = writeRunbook({ ...facts, backups: [before, backup] });
  expect(runbook).toContain('| 2026-11-23T00:00:00.000Z, before a restore');
  expect(blocksOf(runbook).join()).not.toContain('before.tar.gz.age');
});

it('is a page too where nothing is known yet', () => {
  const runbook = writeRunbook({
    ...facts,
    backups: [],
    description: undefined,
    recipients: [],
  });
  expect(runbook).toContain('The portal knew of no backup');
  expect(blocksOf(runbook)).toEqual([]);
});

it('takes the form of the archive and of the cluster', () => {
  const runbook = writeRunbook({
    ...facts,
    backups: [{ ...backup, key: 'a/b/c.tar.zst', isEncrypted: false }],
    description: {
      ...description,
      cluster: { ...description.cluster, layout: 'gdc', managedBy: 'boss' },
    },
  });
  expect(runbook).toContain('zstd -dc c.tar.zst | tar');
  expect(runbook).toContain('opened/cluster/objects.json');
  expect(runbook).toContain('is managed by boss');
});

it('lets nothing that it tells be anything else than told', () => {
  const usual = writeRunbook(facts);
  const strange = fc.string({
    unit: fc.constantFrom(...'`|\n\r#*_\\\'"$()<>[]!~ aé\u2028-'),
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(strange, text => {
      const [node, ...others] = description.nodes;
      const runbook = writeRunbook({
        ...facts,
        cluster: text,
        backups: [{ ...backup, key: `a/${text.replaceAll('/', '-')}` }],
        stores: facts.stores.map(store => ({ ...store, place: text })),
        recipients: facts.recipients.map(({ recipient }) => ({
          recipient: text + recipient,
          provenBy: text,
        })),
        description: {
          ...description,
          versions: { kubernetes: text, etcd: text },
          nodes: [
            {
              ...node,
              hostKey: text,
              etcd: {
                name: text,
                dataDir: text,
                peerUrls: [text],
                clientUrls: [text],
              },
            },
            ...others,
          ],
        },
      });
      expect(structureOf(runbook)).toEqual(structureOf(usual));
      expect(blocksOf(runbook)).toHaveLength(blocksOf(usual).length);
      const script = blocksOf(runbook).join('\n');
      execFileSync('sh', ['-n'], { input: script });
    }),
    { numRuns: 60 },
  );
});

it('names no address that is none', () => {
  const [node] = description.nodes;
  const address = 'a\n  ProxyCommand x';
  expect(() =>
    writeRunbook({
      ...facts,
      description: { ...description, nodes: [{ ...node, address }] },
    }),
  ).toThrow('is no IP address or host name');
});
