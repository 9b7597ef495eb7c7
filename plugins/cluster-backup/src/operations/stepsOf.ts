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

/**
 * The steps that an operation has come to, one after the other. One that is begun again ends what came after it the
 * first time; taking a step back is a step with a title of its own.
 */
export function stepsOf(
  operation: Operation,
  events: OperationEvent[],
): PassedStep[] {
  const steps: PassedStep[] = [];
  for (const { type, step: name, message: title } of events) {
    if (name === undefined) continue;
    if (type === 'step-started') {
      const again = steps.findIndex(s => s.name === name && s.title === title);
      if (again >= 0) {
        steps.splice(again);
      }
      stopRunning(steps);
      steps.push({ name, title, state: 'running' });
    } else if (type === 'step-done') {
      const begun = steps.filter(step => step.name === name).at(-1);
      if (begun) {
        begun.state = 'done';
      }
    }
  }
  const { step, status } = operation;
  if (step && steps.length === 0) {
    steps.push({ ...step, state: 'running' });
  }
  if (status !== 'running') {
    stopRunning(steps);
  }
  return steps;
}

function stopRunning(steps: PassedStep[]): void {
  for (const step of steps) {
    if (step.state === 'running') {
      step.state = 'stopped';
    }
  }
}
