import { Finding } from '../checks';
import { ClusterMachines } from '../cluster';
import { KubernetesObject, PutBack, putBackMissing } from '../gdc';
import { Progress } from '../progress';

const PATIENCE_MS = 60_000;
const STEP = 'put-back-managed';

/**
 * After a user cluster was restored: what its managing cluster has lost of it is created again. The restore is over by
 * then, so whatever fails here is told and changes nothing about it.
 */
export async function putBackManaged(
  { gdc }: ClusterMachines,
  archived: KubernetesObject[],
  progress: Progress,
): Promise<Finding[]> {
  if (gdc?.type !== 'user' || !gdc.access.kubeconfig) return [];
  const title = 'Create what the managing cluster has lost';
  progress({ type: 'step', step: STEP, title, status: 'started' });
  const found = await putBackMissing(
    gdc.access,
    archived,
    AbortSignal.timeout(PATIENCE_MS),
  ).then(findings, ({ message }: Error) =>
    findings({
      created: [],
      differing: [],
      failed: [{ object: `Cluster ${gdc.access.name}`, why: message }],
    }),
  );
  for (const { message } of found) {
    progress({ type: 'note', step: STEP, message });
  }
  progress({ type: 'step', step: STEP, title, status: 'done' });
  return found;
}

function findings({ created, differing, failed }: PutBack): Finding[] {
  const told = (code: string, message: string, remedy: string): Finding => ({
    check: STEP,
    level: code === 'gdc-object-created' ? 'ok' : 'reservation',
    code,
    message,
    remedy,
  });
  const byHand =
    'cluster-backup put-back shows what differs, and puts single Secrets back; anything else is in the archive (cluster/objects.json) for kubectl apply.';
  return [
    ...created.map(name =>
      told('gdc-object-created', `${name} was missing, and created.`, ''),
    ),
    ...differing.map(name =>
      told(
        'gdc-object-differs',
        `${name} is not as it was at the backup; it was left alone.`,
        byHand,
      ),
    ),
    ...failed.map(({ object, why }) =>
      told(
        'gdc-object-not-put-back',
        `${object} could not be put back: ${why}`,
        byHand,
      ),
    ),
  ];
}
