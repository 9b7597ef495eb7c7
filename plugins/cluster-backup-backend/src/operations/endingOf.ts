import { NOTHING_CHANGED, TAKEN_BACK } from '@cluster-backup/engine';
import { Fault } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { Ending } from '../database/OperationStore';
import { isRestore, Job, Outcome } from './Job';
import { recordOf } from './recordOf';

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
      const { outageSeconds, findings } = outcome;
      return {
        status: 'succeeded',
        message: 'Restored',
        outageSeconds,
        findings,
      };
    }
    case 'verified':
      return verified(outcome);
    case 'undone':
      return { status: 'undone', message: 'Taken back' };
    case 'failed':
      return isRestore(job)
        ? restoreFailed(job.type, outcome)
        : failed(outcome);
    default:
      throw new Error(`No operation ends in ${outcome.type}`);
  }
}

/** How a restore ended that somebody finished, or took back, without this portal. */
export function endedByJournals(how: 'restored' | 'taken-back'): Ending {
  return how === 'restored'
    ? {
        status: 'succeeded',
        message:
          'Restored: it was finished without this portal, as the machines say.',
        onlyForward: true,
      }
    : {
        status: 'undone',
        message: 'Taken back without this portal, as the machines say.',
      };
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

function failed({ fault }: Outcome & { type: 'failed' }): Ending {
  return fault.code === 'cancelled'
    ? { status: 'cancelled', message: 'Cancelled', fault }
    : { status: 'failed', message: `Failed: ${fault.message}`, fault };
}

/** The journals on the machines say whether a restore that failed is over. */
function restoreFailed(
  type: 'restore' | 'resume' | 'undo',
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
    needsArchive: code === 'resume-needs-archive' || undefined,
  };
}

function backedUp(job: Job, outcome: Outcome & { type: 'backed-up' }): Ending {
  if (job.type !== 'backup') throw new Error(`A ${job.type} made a backup`);
  return {
    status: 'succeeded',
    message: 'Backed up',
    copies: outcome.copies,
    backup: recordOf(outcome.key, outcome.summary),
  };
}

/** A backup that nobody could restore any more has failed; what is wrong with single copies is told with them. */
function verified({ copies }: Outcome & { type: 'verified' }): Ending {
  const bad = copies.filter(({ state }) => state !== 'good');
  if (bad.length && bad.length === copies.length) {
    const fault: Fault = {
      code: 'no-good-copy',
      message: `No store gave a good copy of this backup. ${bad
        .map(({ store, fault: why }) => `${store}: ${why?.message}`)
        .join(' ')}`,
      state: 'It cannot be restored as things are.',
      remedy: 'Take a backup now, and find out what happened to the stores.',
    };
    return { status: 'failed', message: fault.message, fault, copies };
  }
  const good = copies.length - bad.length;
  return {
    status: 'succeeded',
    message: `Verified: ${good} of ${copies.length} copies are good`,
    copies,
  };
}
