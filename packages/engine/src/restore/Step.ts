import { ConnectedCluster } from '../cluster';
import { ControlPlaneNode } from '../layout';
import { Progress } from '../progress';
import { Attempt } from './journal';
import { NodePlan, Plan, VerifiedArchive } from './plan';

/**
 * Told right before a step's effect on a machine, between the effect and the journal's line about it, and after
 * that line. What an undo takes back is `undo STEP`. Tests end the process in it.
 *
 * @public
 */
export type Boundary = (
  step: string,
  machine: string,
  point: 'before' | 'between' | 'after',
) => void;

/** What the steps of one attempt share. @public */
export interface Attempting {
  attempt: Attempt;
  plan: Plan;
  cluster: ConnectedCluster;
  progress: Progress;
  boundary?: Boundary;
  signal: AbortSignal;
}

/** One node as a step sees it: what the plan says of it, and the connection to it. @public */
export interface StepNode extends ControlPlaneNode {
  plan: NodePlan;
}

/**
 * One step of the commit. What it changes on a node is safe to repeat after a cut anywhere in it; `settled` is what
 * must be true on all nodes before the next step, `undone` on a node before the step before it is undone, and
 * `recovered` is what an undo hopes to see again.
 *
 * @public
 */
export interface Step {
  name: string;
  title: string;
  /** `commit` can be undone; from the first `forward` step on a restore only goes forward. */
  zone: 'commit' | 'forward';
  run?(attempting: Attempting, node: StepNode): Promise<void>;
  /** Which nodes go together, and in what order; all at once by default. */
  turns?(attempting: Attempting, nodes: StepNode[]): Promise<StepNode[][]>;
  /** What must be true of the nodes of one turn before the next begins. */
  turned?(attempting: Attempting, nodes: StepNode[]): Promise<void>;
  settled?(
    attempting: Attempting,
    nodes: StepNode[],
    verified: VerifiedArchive,
  ): Promise<void>;
  undo?(attempting: Attempting, node: StepNode): Promise<void>;
  /** Undone on one node after the other; by default on all at once. */
  undoInTurn?: boolean;
  undone?(attempting: Attempting, node: StepNode): Promise<void>;
  recovered?(attempting: Attempting, nodes: StepNode[]): Promise<void>;
}
