import { NOTHING_CHANGED, TAKEN_BACK } from '@cluster-backup/engine';
import { Ending } from '../database/OperationStore';
import { Job, Outcome } from './Job';

type RestoreJob = 'restore' | 'resume' | 'undo';

/** How an operation ended, from what came of its job. */
export function endingOf(job: Job, outcome: Outcome): Ending {
  switch (outcome.type) {
    case 'checked': {
      const { findings } = outcome;
      return { status: 'succeeded', message: 'Checked', findings };
    }
    case 'backed-up':
      return backedUp(job, outcome);
    case 'restored': {
      const { outageSeconds } = outcome;
      return { status: 'succeeded', message: 'Restored', outageSeconds };
    }
    case 'undone':
      return { status: 'undone', message: 'Taken back' };
    case 'failed':
      return isRestore(job.type)
        ? restoreFailed(job.type, outcome)
        : failed(outcome);
    default:
      throw new Error(`No operation ends in ${outcome.type}`);
  }
}

/** How an interrupted restore ended of which the machines know nothing any more. */
export function endedElsewhere(isPastReturn: boolean): Ending {
  if (isPastReturn) {
    return {
      status: 'succeeded',
      message:
        'Restored: it was past the point of no return, and the machines say that it is over.',
      onlyForward: true,
    };
  }
  return {
    status: 'failed',
    message: 'Over: the machines know of no restore that is not finished.',
    fault: {
      code: 'restore-ended-elsewhere',
      message:
        'This restore is over: the machines know of none that is not finished.',
      state:
        'It had not begun on the machines, or it was ended there without this portal, with the command for instance.',
      remedy: 'Look whether the cluster is as you want it, or restore again.',
    },
  };
}

function isRestore(type: Job['type']): type is RestoreJob {
  return type === 'restore' || type === 'resume' || type === 'undo';
}

function failed({ fault }: Outcome & { type: 'failed' }): Ending {
  return fault.code === 'cancelled'
    ? { status: 'cancelled', message: 'Cancelled', fault }
    : { status: 'failed', message: `Failed: ${fault.message}`, fault };
}

/** The journals on the machines say whether a restore that failed is over. */
function restoreFailed(
  type: RestoreJob,
  outcome: Outcome & { type: 'failed' },
): Ending {
  const { fault, unfinished } = outcome;
  if (fault.code === 'restore-none-unfinished') return endedElsewhere(false);
  const isOurs = type !== 'restore' || fault.code !== 'restore-unfinished';
  const isOver =
    unfinished === 'none' ||
    (unfinished === 'unknown' &&
      (fault.state === TAKEN_BACK ||
        (type === 'restore' && fault.state === NOTHING_CHANGED)));
  if (!isOurs || isOver) return failed(outcome);
  return {
    status: 'interrupted',
    message: `Interrupted: ${fault.message}`,
    fault,
    ...(typeof unfinished === 'object' ? unfinished : whatCodesSay(fault.code)),
  };
}

function whatCodesSay(code: string) {
  return {
    onlyForward: code === 'restore-past-return' || undefined,
    needsKey: code === 'resume-needs-archive' || undefined,
  };
}

function backedUp(job: Job, outcome: Outcome & { type: 'backed-up' }): Ending {
  if (job.type !== 'backup') throw new Error(`A ${job.type} made a backup`);
  const { description, facts, ciphertext, signer } = outcome.summary;
  return {
    status: 'succeeded',
    message: 'Backed up',
    backup: {
      store: job.store.id,
      key: outcome.key,
      createdAt: description.createdAt,
      size: ciphertext.size,
      snapshotSize: description.snapshot.size,
      revision: facts.revision,
      member: description.snapshot.member,
      versions: description.versions,
      nodes: description.nodes.map(({ name }) => name),
      sha256: ciphertext.sha256,
      signer,
      reservations: description.reservations,
    },
  };
}
