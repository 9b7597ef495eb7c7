import {
  Operation,
  OperationEvent,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { stepsOf } from './stepsOf';

const began = (step: string, message = step) => ({
  type: 'step-started',
  step,
  message,
});
const ended = (step: string) => ({ type: 'step-done', step, message: '' });

describe('stepsOf', () => {
  it.each([
    [
      'one after the other',
      'running',
      [began('check'), ended('check'), began('capture')],
      ['check done', 'capture running'],
    ],
    [
      'a backup that is begun again',
      'running',
      [began('check'), ended('check'), began('capture'), began('check')],
      ['check running'],
    ],
    [
      'a restore that is taken back',
      'undone',
      [
        began('park-etcd'),
        ended('park-etcd'),
        began('swap-data'),
        began('swap-data', 'Undo: swap-data'),
        ended('swap-data'),
        began('park-etcd', 'Undo: park-etcd'),
        ended('park-etcd'),
      ],
      [
        'park-etcd done',
        'swap-data stopped',
        'Undo: swap-data done',
        'Undo: park-etcd done',
      ],
    ],
    [
      'one that failed',
      'failed',
      [began('check'), ended('check'), began('capture')],
      ['check done', 'capture stopped'],
    ],
  ])('shows %s', (_, status, events, expected) => {
    expect(
      stepsOf({ status } as Operation, events as OperationEvent[]).map(
        ({ title, state }) => `${title} ${state}`,
      ),
    ).toEqual(expected);
  });
});
