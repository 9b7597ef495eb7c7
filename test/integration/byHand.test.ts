import { execFile } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { restoreCommand } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { BackupResult, writeRunbook } from '@cluster-backup/engine';
import { LabNode } from '@cluster-backup/lab';
import { contentsAt, differences, KeyFacts } from '../proof/contents';
import { membersAgree } from '../proof/members';
import { setStage, Stage } from './stage';

jest.setTimeout(180_000);

const run = promisify(execFile);
const AFTER = '/registry/after';

/** Commands of a runbook, and where it says that they are given. */
interface Printed {
  /** The step's number; none outside of the steps. */
  step?: number;
  section: string;
  /** Names of machines; none on one's own. */
  machines: string[];
  script: string;
}

/** A person gives up when nothing comes of it. */
const asTyped = (script: string) => ['timeout', '60', 'bash', '-exc', script];

/** A person reads from top to bottom: the heading says where, and sometimes a line before the commands. */
function printedIn(runbook: string): Printed[] {
  const found: Printed[] = [];
  let section = '';
  let here: string[] = [];
  let own: string[] | undefined;
  const lines = runbook.split('\n');
  const namesIn = (text: string) =>
    [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at];
    if (/^##/.test(line)) {
      section = line;
      here = /On your own machine/.test(line)
        ? []
        : namesIn(line.split(':')[0]);
      own = undefined;
    } else if (/^On `.*`:$/.test(line)) {
      own = namesIn(line);
    } else if (/^```+sh$/.test(line)) {
      const end = lines.indexOf(line.replace('sh', ''), at);
      const step = /^### (\d+)\./.exec(section)?.[1];
      found.push({
        step: step ? Number(step) : undefined,
        section,
        machines: own ?? here,
        script: lines.slice(at + 1, end).join('\n'),
      });
      own = undefined;
      at = end;
    }
  }
  return found;
}

describe.each(['kubeadm', 'gdc'] as const)(
  'the steps by hand of a %s cluster’s runbook',
  flavor => {
    let stage: Stage;
    let backup: BackupResult;
    let expected: Map<string, KeyFacts>;
    let printed: Printed[];
    let folder: string;

    beforeAll(async () => {
      stage = await setStage({ flavor, nodes: 3, workers: 1 });
      backup = await stage.backUp();
      const { summary, key } = backup;
      expected = await contentsAt(stage.lab.nodes[0], summary.facts.revision);
      await stage.lab.nodes[0].etcdctl(['put', AFTER, 'the backup']);
      const { description, ciphertext, signer } = summary;
      const archive = { key, signer, isEncrypted: true };
      printed = printedIn(
        writeRunbook({
          cluster: description.cluster.name,
          writtenAt: new Date().toISOString(),
          backups: [
            {
              ...archive,
              createdAt: description.createdAt,
              isBeforeRestore: false,
              stores: ['local'],
              size: ciphertext.size,
              revision: summary.facts.revision,
              sha256: ciphertext.sha256,
              command: restoreCommand(description.cluster.name, archive),
            },
          ],
          description,
          stores: [{ id: 'local', place: join(stage.folder, 'store') }],
          recipients: [{ recipient: stage.recipient }],
          expireAfterDays: 365,
        }),
      );
      // What the person has kept.
      folder = join(stage.folder, 'own');
      await mkdir(folder);
      const kept = { mode: 0o600 };
      await copyFile(
        join(stage.folder, 'store', key),
        join(folder, basename(key)),
      );
      await writeFile(join(folder, 'identity.txt'), stage.identity, kept);
      if (flavor === 'kubeadm') {
        const [{ privateKey }] = stage.lab.access().machines;
        await writeFile(join(folder, 'ssh-key'), privateKey, kept);
      }
    });
    afterAll(() => stage?.stop());

    /** Of Google Distributed Cloud machines are named by their addresses. */
    const machine = (wanted: string): LabNode => {
      const { nodes, workers } = stage.lab;
      const { machines } = stage.lab.access();
      const { name } = machines.find(each =>
        [each.name, each.address].includes(wanted),
      )!;
      return [...nodes, ...workers].find(each => each.name === name)!;
    };
    /** Types what is printed, everywhere at once where it is printed for several. */
    const type = async ({ machines, script }: Printed) => {
      if (!machines.length) {
        const [file, ...args] = asTyped(script);
        const { stdout } = await run(file, args, { cwd: folder });
        return [stdout];
      }
      return Promise.all(
        machines.map(async name => {
          const { stdout } = await machine(name).exec(asTyped(script));
          return stdout;
        }),
      );
    };
    const typeStep = async (wanted: number) => {
      const said: string[] = [];
      for (const each of printed) {
        if (each.step === wanted) said.push(...(await type(each)));
      }
      expect(said.length).toBeGreaterThan(0);
      return said.join('\n');
    };

    const typeSection = async (back: string) => {
      for (const each of printed) {
        if (each.section.endsWith(back)) await type(each);
      }
    };

    const open = async () => {
      const { nodes, workers } = stage.lab;
      expect(await typeStep(1)).toContain(': OK');
      const reached = await typeStep(2);
      expect(reached.trim().split('\n')).toEqual(
        [...nodes, ...workers].map(({ name }) => name),
      );
    };

    const acts = {
      async kubeadm() {
        const { nodes, workers } = stage.lab;
        for (let step = 3; step <= 10; step++) await typeStep(step);
        const found = await contentsAt(nodes[0]);
        expect(found.has(AFTER)).toBe(false);
        expect(differences(expected, found)).toEqual([]);
        expect(await membersAgree(nodes)).toEqual([]);
        await nodes[1].etcdctl(['put', AFTER, 'the restore']);
        expect(await typeStep(11)).toContain(workers[0].name);
        await typeStep(12);
        await typeStep(13);
      },
      async gdc() {
        const { nodes } = stage.lab;
        for (let step = 3; step <= 7; step++) await typeStep(step);
        await typeSection(': take it back');
        const found = await contentsAt(nodes[0]);
        expect(found.has(AFTER)).toBe(true);
        expect(await membersAgree(nodes)).toEqual([]);
      },
    };

    it(`${
      flavor === 'kubeadm' ? 'restore it' : 'are taken back'
    } as they are printed`, async () => {
      await open();
      await acts[flavor]();
    });
  },
);
