import { ClusterBackupError } from '../../errors';

/** The failure that a promise must end with; what does not fail, or fails in another way, fails the test. */
export async function failure(
  promise: Promise<unknown>,
): Promise<ClusterBackupError> {
  const outcome = await promise.then(
    value => ({ value }),
    error => ({ error }),
  );
  if ('error' in outcome && outcome.error instanceof ClusterBackupError) {
    const { message, state, remedy } = outcome.error;
    expect({ message, state, remedy }).toEqual({
      message: expect.stringMatching(/./),
      state: expect.stringMatching(/./),
      remedy: expect.stringMatching(/./),
    });
    return outcome.error;
  }
  throw new Error(
    'error' in outcome
      ? `failed with something else: ${outcome.error?.stack}`
      : `did not fail: ${JSON.stringify(outcome.value)}`,
  );
}
