import { ClusterBackupError } from '../errors';
import {
  fenced,
  Journal,
  note,
  readJournal,
  release,
  stateOf,
} from './journal';
import { VerifiedArchive } from './plan';
import { Attempting, Step, StepNode } from './Step';
import { commitSteps } from './steps';

/** The nodes of a plan with their connections, made anew where they were lost. */
export async function nodesOf({
  cluster,
  plan,
}: Pick<Attempting, 'cluster' | 'plan'>): Promise<StepNode[]> {
  return Promise.all(
    plan.nodes.map(async node => ({
      ...node,
      plan: node,
      machine: await cluster.machine(node.name),
    })),
  );
}

/** Does something on all nodes at once and writes into each journal that it is done there. All end before it fails. */
export async function onAll(
  attempting: Attempting,
  nodes: StepNode[],
  step: string,
  act: (node: StepNode) => Promise<void>,
): Promise<void> {
  const outcomes = await Promise.allSettled(
    nodes.map(async node => {
      attempting.boundary?.(step, node.plan.name, 'before');
      await act(node);
      attempting.boundary?.(step, node.plan.name, 'between');
      await note(node.machine, attempting.attempt, step, 'done');
      attempting.boundary?.(step, node.plan.name, 'after');
    }),
  );
  const failed = outcomes.find(outcome => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}

/** Ends the operation on one machine. The journal's line about it is part of it. */
export async function releaseNode(
  { attempt, boundary }: Attempting,
  { machine, plan }: StepNode,
): Promise<void> {
  boundary?.('release', plan.name, 'before');
  await release(machine, attempt);
  boundary?.('release', plan.name, 'after');
}

/** The nodes that an undo works on, and those that it could not reach or had to give up. */
export interface Reach {
  nodes: StepNode[];
  givenUp: Array<{ name: string; error: ClusterBackupError }>;
}

/**
 * Does something on nodes at once. A node where it fails is given up, so that the others are put back all the same.
 *
 * @throws ClusterBackupError `machine-fenced` when another attempt has taken over
 */
export async function onReached(
  reach: Reach,
  nodes: StepNode[],
  act: (node: StepNode) => Promise<void>,
): Promise<void> {
  await Promise.all(
    nodes.map(async node => {
      try {
        await act(node);
      } catch (error) {
        if (!(error instanceof ClusterBackupError)) throw error;
        reach.nodes = reach.nodes.filter(other => other !== node);
        reach.givenUp.push({ name: node.plan.name, error });
      }
    }),
  );
  const takenOver = reach.givenUp.find(({ error }) => isTakenOver(error));
  if (takenOver) throw takenOver.error;
}

/** Whether an error says that the machines are another attempt's now. */
export function isTakenOver({ code }: ClusterBackupError): boolean {
  return code === 'machine-fenced' || code === 'machine-occupied';
}

/** The journals of all nodes, as far as they are about this operation. */
export async function journalsOf(
  { plan }: Attempting,
  nodes: StepNode[],
): Promise<Journal[]> {
  return Promise.all(
    nodes.map(node => readJournal(node.machine, plan.operation)),
  );
}

/**
 * Performs the steps that are left, each on all nodes, and waits for what each promises.
 *
 * @param forward - called before the first step that cannot be undone
 */
export async function performCommit(
  attempting: Attempting,
  verified: VerifiedArchive,
  forward: () => void,
): Promise<void> {
  const earlier = await journalsOf(attempting, await nodesOf(attempting));
  if (earlier.some(isPastReturn)) forward();
  for (const step of stepsLeft(earlier)) {
    if (step.zone === 'forward') forward();
    // Beyond the point of no return stopping would leave a cluster that is neither old nor new.
    const current =
      step.zone === 'forward'
        ? { ...attempting, signal: new AbortController().signal }
        : attempting;
    current.signal.throwIfAborted();
    await perform(current, step, verified);
  }
}

async function perform(
  attempting: Attempting,
  step: Step,
  verified: VerifiedArchive,
) {
  const { name, title, run } = step;
  attempting.progress({ type: 'step', step: name, title, status: 'started' });
  const nodes = await nodesOf(attempting);
  if (run) {
    const journals = await journalsOf(attempting, nodes);
    const left = nodes.filter((_, i) => stateOf(journals[i], name) !== 'done');
    const act = (node: StepNode) => run(attempting, node);
    const turns = (await step.turns?.(attempting, left)) ?? [left];
    for (const turn of turns) {
      await onAll(attempting, turn, name, act);
      await step.turned?.(attempting, turn);
    }
  }
  await step.settled?.(attempting, nodes, verified);
  attempting.progress({ type: 'step', step: name, title, status: 'done' });
}

const isBegun = (step: string) => (journal: Journal) =>
  ['begun', 'done'].includes(stateOf(journal, step));

/** From the last step that any machine began: the one before it had settled, or this one would not have begun. */
function stepsLeft(journals: Journal[]): Step[] {
  return commitSteps.slice(Math.max(0, lastBegun(journals)));
}

function lastBegun(journals: Journal[]): number {
  return commitSteps
    .map(step => journals.some(isBegun(step.name)))
    .lastIndexOf(true);
}

/** Whether a machine's journal tells of a step of the commit that was not taken back. */
export function isCommitBegun(journal: Journal): boolean {
  return commitSteps.some(({ name }) => isBegun(name)(journal));
}

/**
 * Whether the machines stand where a commit stops when it is cut off: all have done what comes before the last step
 * that any of them began. Where an undo did not reach all of them they do not.
 */
export function standTogether(journals: Journal[]): boolean {
  return commitSteps
    .slice(0, Math.max(0, lastBegun(journals)))
    .filter(step => step.run)
    .every(({ name }) =>
      journals.every(journal => stateOf(journal, name) === 'done'),
    );
}

/**
 * Takes back, in reverse, every step that the journal of a machine says was begun, on every machine that can be
 * reached: two members of three that are back are a cluster, whatever became of the third.
 *
 * @returns what was put back and does not answer as before
 * @throws ClusterBackupError `restore-past-return` when an API server may have been started on the restored data
 */
export async function undoCommit(
  attempting: Attempting,
  reach: Reach,
): Promise<string[]> {
  const { attempt, boundary, plan, progress } = attempting;
  const journals = new Map<StepNode, Journal>();
  await onReached(reach, reach.nodes, async node => {
    const journal = await readJournal(node.machine, plan.operation);
    // An attempt that took over may have ended it: then there is nothing left that would refuse to be changed.
    if (journal.fence > attempt.fence) {
      throw fenced(node.plan.name, journal.fence, attempt);
    }
    journals.set(node, journal);
  });
  refusePastReturn([...journals.values()]);

  const unwell: string[] = [];
  for (const step of undoable().reverse()) {
    const touched = () =>
      reach.nodes.filter(node => isBegun(step.name)(journals.get(node)!));
    if (!touched().length) continue;
    const title = `Undo: ${step.title}`;
    const told = { type: 'step', step: step.name, title } as const;
    progress({ ...told, status: 'started' });
    const turns = step.undoInTurn ? touched().map(node => [node]) : [touched()];
    for (const turn of turns) {
      await onReached(reach, turn, async node => {
        boundary?.(`undo ${step.name}`, node.plan.name, 'before');
        await step.undo?.(attempting, node);
        await step.undone?.(attempting, node);
        boundary?.(`undo ${step.name}`, node.plan.name, 'between');
        await note(node.machine, attempt, step.name, 'undone');
        boundary?.(`undo ${step.name}`, node.plan.name, 'after');
      });
    }
    // What does not come back to life must not keep the rest from being put back.
    await step.recovered?.(attempting, touched()).catch(error => {
      unwell.push((error as Error).message);
    });
    progress({ ...told, status: 'done' });
  }
  return unwell;
}

function undoable(): Step[] {
  return commitSteps.filter(step => step.zone === 'commit');
}

/** Whether a journal says that the restore may only go forward. */
export function isPastReturn(journal: Journal): boolean {
  return stateOf(journal, 'point-of-no-return') !== 'untouched';
}

function refusePastReturn(journals: Journal[]) {
  if (!journals.some(isPastReturn)) return;
  throw new ClusterBackupError({
    code: 'restore-past-return',
    message:
      'An API server may have been started on the restored data: this restore cannot be undone any more.',
    state:
      'The restored data is in place; the data of before is kept beside it.',
    remedy: 'Finish the restore with resume.',
  });
}
