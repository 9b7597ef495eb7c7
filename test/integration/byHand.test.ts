import { execFile } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { restoreCommand } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { writeRunbook } from '@cluster-backup/engine';
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

/** A person with a runbook of three machines, and what they have kept. */
interface Reader {
  stage: Stage;
  /** What the cluster held at its backup. */
  expected: Map<string, KeyFacts>;
  /** Types what a step has printed, everywhere at once where it is printed for several; gives what was said. */
  typeStep(number: number): Promise<string>;
  /** The same of a section that is no step, or of what in it is about a machine. */
  typeSection(title: string, machine?: string): Promise<void>;
}

/** Begins a cluster, backs it up, writes to it, and prints its runbook. */
async function read(flavor: 'kubeadm' | 'gdc'): Promise<Reader> {
  const stage = await setStage({ flavor, nodes: 3, workers: 1 });
  const { lab } = stage;
  const { summary, key } = await stage.backUp();
  const expected = await contentsAt(lab.nodes[0], summary.facts.revision);
  await lab.nodes[0].etcdctl(['put', AFTER, 'the backup']);
  const { description, ciphertext, signer } = summary;
  const { name } = description.cluster;
  const archive = { key, signer, isEncrypted: true };
  const runbook = writeRunbook({
    cluster: name,
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
        command: restoreCommand(name, archive),
      },
    ],
    description,
    stores: [{ id: 'local', place: join(stage.folder, 'store') }],
    recipients: [{ recipient: stage.recipient }],
    expireAfterDays: 365,
  });

  const folder = join(stage.folder, 'own');
  await mkdir(folder);
  const secret = { mode: 0o600 };
  await copyFile(join(stage.folder, 'store', key), join(folder, basename(key)));
  await writeFile(join(folder, 'identity.txt'), stage.identity, secret);
  const { machines } = lab.access();
  if (flavor === 'kubeadm') {
    await writeFile(join(folder, 'ssh-key'), machines[0].privateKey, secret);
  }

  /** Of Google Distributed Cloud machines are named by their addresses. */
  const machine = (wanted: string): LabNode => {
    const found = machines.find(each =>
      [each.name, each.address].includes(wanted),
    );
    return [...lab.nodes, ...lab.workers].find(
      each => each.name === found?.name,
    )!;
  };
  const type = async ({ machines: where, script }: Printed) => {
    if (!where.length) {
      const [file, ...args] = asTyped(script);
      return [(await run(file, args, { cwd: folder })).stdout];
    }
    return Promise.all(
      where.map(async each => {
        const { stdout } = await machine(each).exec(asTyped(script));
        return stdout;
      }),
    );
  };
  const typeAll = async (chosen: Printed[]) => {
    const said: string[] = [];
    for (const each of chosen) said.push(...(await type(each)));
    if (!said.length) throw new Error('Nothing is printed there.');
    return said.join('\n');
  };
  const printed = printedIn(runbook);
  return {
    stage,
    expected,
    typeStep: number => typeAll(printed.filter(({ step }) => step === number)),
    async typeSection(title, about = '') {
      await typeAll(
        printed.filter(
          ({ section, script }) =>
            section.endsWith(title) && script.includes(about),
        ),
      );
    },
  };
}

describe('the steps by hand of a runbook', () => {
  let reader: Reader;
  afterEach(() => reader?.stage.stop());

  const opens = async () => {
    const { nodes, workers } = reader.stage.lab;
    const digest = await reader.typeStep(1);
    const reached = await reader.typeStep(2);
    return (
      digest.includes(': OK') &&
      reached.trim() === [...nodes, ...workers].map(n => n.name).join('\n')
    );
  };

  it('restore a kubeadm cluster as they are printed', async () => {
    reader = await read('kubeadm');
    const { stage, expected, typeStep, typeSection } = reader;
    const { nodes, workers } = stage.lab;
    expect(await opens()).toBe(true);
    for (let step = 3; step <= 10; step++) await typeStep(step);
    const found = await contentsAt(nodes[0]);
    expect(found.has(AFTER)).toBe(false);
    expect(differences(expected, found)).toEqual([]);
    expect(await membersAgree(nodes)).toEqual([]);
    await nodes[1].etcdctl(['put', AFTER, 'the restore']);
    expect(await typeStep(11)).toContain(workers[0].name);
    await typeStep(12);
    await typeStep(13);

    const [, , lost] = nodes;
    await lost.system.stopKubelet();
    const listing = async () => {
      const { stdout } = await lost.exec([
        ...['find', '/etc/kubernetes', '!', '-type', 'd'],
        ...['-printf', '%p %y %m %U:%G %l\\n'],
      ]);
      return stdout.split('\n').sort();
    };
    const before = await listing();
    await lost.exec(['rm', '-rf', '/etc/kubernetes']);
    await typeSection(': give a machine its files back', lost.name);
    const after = await listing();
    expect(before.filter(line => !after.includes(line))).toEqual([]);
  });

  it('are taken back on a cluster of Google Distributed Cloud as they are printed', async () => {
    reader = await read('gdc');
    const { stage, typeStep, typeSection } = reader;
    const { nodes } = stage.lab;
    expect(await opens()).toBe(true);
    for (let step = 3; step <= 7; step++) await typeStep(step);
    await typeSection(': take it back');
    const found = await contentsAt(nodes[0]);
    expect(found.has(AFTER)).toBe(true);
    expect(await membersAgree(nodes)).toEqual([]);
  });
});
