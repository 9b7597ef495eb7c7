import { readArchive } from '../archive';
import { cancelled } from '../cluster';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import {
  clusterIn,
  connectManager,
  DifferingObject,
  differingObjects,
  GdcAccess,
  KubernetesObject,
  ManagingCluster,
  nameOf,
  putBackMissing,
  putBackSecret,
  runningJobs,
  SecretName,
} from '../gdc';
import { objectsIn } from './archivedAccess';
import { ArchiveSource, refuseUntrusted } from './restoreCluster';

/** What became of Secrets that were to be put back; each is named `Secret NAMESPACE/NAME`. @public */
export interface PutBackResult {
  created: string[];
  updated: string[];
  /** They were as in the archive already. */
  same: string[];
  /** The others were put back all the same. */
  failed: Array<{ object: string; error: ClusterBackupError }>;
}

interface ManagedArchive {
  cluster: GdcAccess;
  /** Read from its first byte to its last before anything of it is used. */
  archive: ArchiveSource;
  signal?: AbortSignal;
}

/**
 * The objects of a cluster, in the cluster that holds its Cluster resource, that are not as they are in an archive.
 *
 * @throws ClusterBackupError those of reading an archive, `archive-signer-unknown`, `gdc-cluster-unusable` of another
 * cluster's archive, `gdc-kubeconfig-missing`
 * @public
 */
export async function compareObjects(
  options: ManagedArchive,
): Promise<DifferingObject[]> {
  return withManager(options, differingObjects);
}

/**
 * Puts single Secrets back into the cluster that holds the Cluster resource, as they are in an archive. Secrets that
 * are missing are created; of those that are there the data is replaced, if they are as they were seen.
 *
 * @throws ClusterBackupError `put-back-not-archived`, `gdc-job-running`, those of {@link compareObjects}
 * @public
 */
export async function putBackSecrets(
  options: ManagedArchive & {
    /** `resourceVersion`: of the Secret that a person saw and wants replaced. */
    secrets: Array<SecretName & { resourceVersion?: string }>;
  },
): Promise<PutBackResult> {
  const { cluster, secrets } = options;
  return withManager(options, async (manager, archived) => {
    const chosen = secrets.map(wanted => ({
      object: secretAmong(archived, wanted),
      seen: wanted.resourceVersion,
    }));
    await refuseWhileJobsRun(manager, cluster);
    const result: PutBackResult = {
      created: [],
      updated: [],
      same: [],
      failed: [],
    };
    for (const { object, seen } of chosen) {
      try {
        const outcome = await putBackSecret(manager, object, seen);
        result[outcome].push(nameOf(object));
      } catch (error) {
        if (!(error instanceof ClusterBackupError)) throw error;
        result.failed.push({ object: nameOf(object), error });
      }
    }
    return result;
  });
}

/**
 * Creates what the cluster that holds the Cluster resource has lost of a cluster, as after a restore: what is there is
 * left alone.
 *
 * @returns names of what was created, and why something could not be
 * @throws ClusterBackupError `gdc-job-running`, those of {@link compareObjects}
 * @public
 */
export async function createMissingObjects(options: ManagedArchive): Promise<{
  created: string[];
  failed: Array<{ object: string; why: string }>;
}> {
  const { cluster } = options;
  return withManager(options, async (manager, archived, signal) => {
    await refuseWhileJobsRun(manager, cluster);
    const found = await putBackMissing(cluster, archived, signal);
    return { created: found.created, failed: found.failed };
  });
}

async function withManager<T>(
  { cluster, archive, signal = new AbortController().signal }: ManagedArchive,
  act: (
    manager: ManagingCluster,
    archived: KubernetesObject[],
    signal: AbortSignal,
  ) => Promise<T>,
): Promise<T> {
  let manager: ManagingCluster | undefined;
  try {
    manager = connectManager(cluster, signal);
    const archived = await provenObjects(archive, signal);
    clusterIn(cluster, archived);
    return await act(manager, archived, signal);
  } catch (error) {
    if (signal.aborted) throw cancelled('What was put back until then is.');
    throw error;
  } finally {
    manager?.api.close();
  }
}

async function provenObjects(
  archive: ArchiveSource,
  signal: AbortSignal,
): Promise<KubernetesObject[]> {
  let list: Buffer | undefined;
  const proof = await readArchive(
    await archive.open(signal),
    { ...archive.key, sha256: archive.sha256, signal },
    {
      objects(found) {
        list = found;
      },
    },
  );
  refuseUntrusted(proof, archive);
  if (list) return objectsIn(list);
  throw new ClusterBackupError({
    code: 'put-back-not-archived',
    message: 'The archive has no objects: it was not made with the layout gdc.',
    state: NOTHING_CHANGED,
    remedy: 'Choose a backup of a cluster of Google Distributed Cloud.',
  });
}

function secretAmong(
  archived: KubernetesObject[],
  { namespace, name }: SecretName,
): KubernetesObject {
  const found = archived.find(
    ({ kind, metadata }) =>
      kind === 'Secret' &&
      metadata.name === name &&
      metadata.namespace === namespace,
  );
  if (found) return found;
  throw new ClusterBackupError({
    code: 'put-back-not-archived',
    message: `The archive has no Secret ${namespace}/${name}.`,
    state: NOTHING_CHANGED,
    remedy: 'Look at what differs, and choose one of those.',
    details: { namespace, name },
  });
}

/** They read Secrets in the middle of their work. */
async function refuseWhileJobsRun(
  { found }: ManagingCluster,
  { name, resource }: GdcAccess,
) {
  const jobs = await runningJobs(found, resource.namespace);
  if (!jobs.length) return;
  throw new ClusterBackupError({
    code: 'gdc-job-running',
    message: `Jobs are at work on the machines of ${name}: ${jobs.join(', ')}.`,
    state: NOTHING_CHANGED,
    remedy: 'Wait until they have ended.',
    details: { jobs },
  });
}
