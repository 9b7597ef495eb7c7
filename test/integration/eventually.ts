import { setTimeout as sleep } from 'node:timers/promises';

/** What is not so yet may be so in half a minute. */
export async function eventually(
  expectation: () => Promise<unknown>,
): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      await expectation();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(250);
    }
  }
}
