import { ClusterBackupError } from '../../errors';
import { bumpCovers } from '../plan';
import { Attempting, Step, StepNode } from '../Step';
import { ask } from './members';

/**
 * With no API server left the revision stands still: the last moment to see whether the bump, chosen before, is
 * beyond everything that was handed out.
 */
export const weighBump: Step = {
  name: 'weigh-bump',
  title: 'Read the last live revision',
  zone: 'commit',
  async settled(attempting, nodes, verified) {
    if (attempting.plan.withoutBump) return;
    const last = await lastRevision(attempting, nodes);
    if (
      last === undefined ||
      bumpCovers(verified.bump, last, verified.revision)
    ) {
      return;
    }
    throw new ClusterBackupError({
      code: 'bump-too-small',
      message: `The cluster went on to revision ${last}, too far for the prepared bump of ${verified.bump} over the archive's revision ${verified.revision}.`,
      state: 'Only the API servers were stopped; the data is as it was.',
      remedy: 'Start the restore again: the bump is then chosen from today.',
      details: { last, ...verified },
    });
  },
};

/** The highest revision that any member knows; `undefined` when none answers. */
export async function lastRevision(
  { signal }: Attempting,
  nodes: StepNode[],
): Promise<number | undefined> {
  const revisions = await Promise.all(
    nodes.map(node =>
      ask(node, signal, async member => [(await member.status()).revision])
        // A member that does not answer hands out no revisions either.
        .catch(() => []),
    ),
  );
  const known = revisions.flat();
  return known.length ? Math.max(...known) : undefined;
}
