import {
  compareObjects,
  createMissingObjects,
  putBackSecrets,
} from '@cluster-backup/engine';
import { Job, Outcome } from './Job';
import { sourceOf } from './sourceOf';

/** Compares objects with those of an archive, or puts some of them back. */
export async function lookAtObjects(
  job: Extract<Job, { type: 'objects' }>,
  signal: AbortSignal,
): Promise<Outcome> {
  const { cluster, put } = job;
  const managed = { cluster, archive: sourceOf(job.archive), signal };
  if (!put) {
    return { type: 'compared', differing: await compareObjects(managed) };
  }
  const { secrets, missing } = put;
  const made = missing
    ? await createMissingObjects(managed)
    : { created: [], failed: [] };
  const changed = secrets.length
    ? await putBackSecrets({ ...managed, secrets })
    : { created: [], updated: [], same: [], failed: [] };
  return {
    type: 'put-back',
    result: {
      created: [...made.created, ...changed.created],
      updated: changed.updated,
      same: changed.same,
      failed: [
        ...made.failed,
        ...changed.failed.map(({ object, error }) => ({
          object,
          why: error.message,
        })),
      ],
    },
  };
}
