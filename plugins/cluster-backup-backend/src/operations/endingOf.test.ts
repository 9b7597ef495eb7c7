import {
  ClusterAccess,
  NOTHING_CHANGED,
  TAKEN_BACK,
} from '@cluster-backup/engine';
import { endedElsewhere, endingOf } from './endingOf';
import { notForeseen, stateAfter } from './fault';
import { ArchiveToOpen, Job, Unfinished } from './Job';

const cluster = {} as ClusterAccess;
const restore: Job = {
  type: 'restore',
  cluster,
  archive: {} as ArchiveToOpen,
};
const resume: Job = { type: 'resume', cluster };
const undo: Job = { type: 'undo', cluster };

describe('a restore that failed', () => {
  const half = { onlyForward: false, needsArchive: true };
  const past = { onlyForward: true, needsArchive: false };
  const other = 'Something else.';

  it.each<[string, Job, string, string, Unfinished, object]>([
    // The machines are asked first.
    ['is over', restore, 'x', other, 'none', { status: 'failed' }],
    ['is half-way', restore, 'x', NOTHING_CHANGED, half, half],
    ['is past return', resume, 'x', other, past, past],
    [
      'was cancelled',
      restore,
      'cancelled',
      other,
      'none',
      { status: 'cancelled' },
    ],
    ['is half-way, cancelled or not', restore, 'cancelled', other, half, half],
    // They do not answer.
    [
      'began nothing',
      restore,
      'x',
      NOTHING_CHANGED,
      'unknown',
      { status: 'failed' },
    ],
    [
      'was taken back',
      resume,
      'x',
      TAKEN_BACK,
      'unknown',
      { status: 'failed' },
    ],
    ['is in doubt', restore, 'x', other, 'unknown', { status: 'interrupted' }],
    [
      'began before this',
      resume,
      'x',
      NOTHING_CHANGED,
      'unknown',
      { status: 'interrupted' },
    ],
    [
      'needs its key',
      resume,
      'resume-needs-archive',
      other,
      'unknown',
      { needsArchive: true },
    ],
    [
      'cannot be undone',
      undo,
      'restore-past-return',
      other,
      'unknown',
      { onlyForward: true },
    ],
    // Somebody else was there.
    [
      'is not the one there',
      restore,
      'restore-unfinished',
      other,
      half,
      { status: 'failed' },
    ],
    [
      'was ended there',
      undo,
      'restore-none-unfinished',
      other,
      'none',
      { status: 'failed', fault: { code: 'restore-ended-elsewhere' } },
    ],
  ])('%s', (_, job, code, state, unfinished, expected) => {
    const fault = { code, message: 'It broke.', state, remedy: 'Mend it.' };
    expect(endingOf(job, { type: 'failed', fault, unfinished })).toMatchObject({
      ...('onlyForward' in expected && { status: 'interrupted' }),
      ...expected,
    });
  });

  it.each([restore, resume, undo])(
    'is in doubt when its process went: $type',
    job => {
      const fault = notForeseen(stateAfter(job));
      const outcome = { type: 'failed', fault, unfinished: 'unknown' } as const;
      expect(endingOf(job, outcome).status).toBe('interrupted');
    },
  );
});

it('tells what became of a restore that the machines know nothing of', () => {
  expect(endedElsewhere(true)).toMatchObject({ status: 'succeeded' });
  expect(endedElsewhere(false)).toMatchObject({
    status: 'failed',
    fault: { code: 'restore-ended-elsewhere' },
  });
});
