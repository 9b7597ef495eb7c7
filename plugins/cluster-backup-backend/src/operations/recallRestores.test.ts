import { mockServices } from '@backstage/backend-test-utils';
import { OperationStore } from '../database/OperationStore';
import { ConfiguredClusters } from './ConfiguredClusters';
import { RememberedRestore } from './Job';
import { recallAll } from './recallRestores';
import { startEngine } from './startEngine';

jest.mock('./startEngine');

const signal = new AbortController().signal;
const QUIET_MS = 50;

/** What the machines of each cluster say, one time after the other. */
function machines(
  ...answers: Array<RememberedRestore[] | Error>
): jest.Mock<Promise<boolean>> {
  const record = jest.fn(async () => true);
  for (const answer of answers) {
    jest.mocked(startEngine).mockReturnValueOnce({
      outcome:
        answer instanceof Error
          ? Promise.reject(answer)
          : Promise.resolve({ type: 'recalled', restores: answer, unread: [] }),
      cancel: () => {},
      kill: async () => {},
    });
  }
  return record as jest.Mock;
}

const recalling = (record: jest.Mock, ...clusterRefs: string[]) => ({
  logger: mockServices.logger.mock(),
  auditor: mockServices.auditor.mock(),
  clusters: {
    clusterRefs,
    access: () => ({}),
  } as unknown as ConfiguredClusters,
  operations: { recordRemembered: record } as unknown as OperationStore,
});

const restore = (more: Partial<RememberedRestore>): RememberedRestore => ({
  operation: 'restore-20260203T040506Z-1f2e3d4c',
  outcome: 'restored',
  begunAt: '2026-02-03T04:05:06Z',
  lastAt: '2026-02-03T04:10:00.000Z',
  ...more,
});
const now = () => new Date().toISOString();

beforeEach(() => jest.mocked(startEngine).mockReset());

it('writes down what is unknown, and asks the next cluster when one is silent', async () => {
  const found = restore({});
  const record = machines(new Error('silent'), [found]);
  const asking = recalling(record, 'a', 'b');
  await recallAll(asking, signal, QUIET_MS);
  expect(record.mock.calls).toEqual([['b', found]]);
  expect(asking.logger.warn).toHaveBeenCalledTimes(1);
  expect(asking.auditor.createEvent).toHaveBeenCalledWith(
    expect.objectContaining({ eventId: 'restore-found' }),
  );
});

it('leaves a restore to whoever is at it', async () => {
  const record = machines(
    [restore({ outcome: 'unfinished', lastAt: now() })],
    [restore({})],
  );
  await recallAll(recalling(record, 'a'), signal, QUIET_MS);
  expect(record.mock.calls).toEqual([['a', restore({})]]);
});

it('writes down one that stands still', async () => {
  const begun = restore({ outcome: 'unfinished', lastAt: now() });
  const record = machines([begun], [begun]);
  await recallAll(recalling(record, 'a'), signal, QUIET_MS);
  expect(record.mock.calls).toEqual([['a', begun]]);
});
