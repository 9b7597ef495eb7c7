import {
  Operation,
  OperationEvent,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';

/** A step that an operation has come to. */
export interface PassedStep {
  name: string;
  title: string;
  state: 'running' | 'done' | 'stopped';
}

/** The steps that an operation has come to, in their order; a step that is begun again is one step. */
export function stepsOf(
  operation: Operation,
  events: OperationEvent[],
): PassedStep[] {
  const steps = new Map<string, PassedStep>();
  for (const { type, step: name, message } of events) {
    if (name === undefined) continue;
    const known = steps.get(name);
    if (type === 'step-started') {
      const title = message || known?.title || name;
      steps.set(name, { name, title, state: 'running' });
    } else if (type === 'step-done') {
      const title = known?.title ?? (message || name);
      steps.set(name, { name, title, state: 'done' });
    }
  }
  const { step, status } = operation;
  if (step && !steps.has(step.name)) {
    steps.set(step.name, { ...step, state: 'running' });
  }
  const unfinished = status === 'succeeded' ? 'done' : 'stopped';
  return [...steps.values()].map(passed =>
    passed.state === 'running' && status !== 'running'
      ? { ...passed, state: unfinished }
      : passed,
  );
}
