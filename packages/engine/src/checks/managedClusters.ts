import {
  CLUSTERS,
  ComparedCluster,
  compareManaged,
  GdcCluster,
  isManaging,
  KubernetesObject,
  managedAmong,
  ManagedChange,
} from '../gdc';
import { ManagedCluster } from '../archive';
import { askApi } from '../kubernetes';
import { Check, CheckSubject, Finding } from './Check';

/** A managing cluster that is put back takes what it knows of its user clusters back with it. */
export const managedClusters: Check = {
  id: 'managed-clusters',
  title: 'What the cluster knows of its user clusters',
  async run(subject) {
    const { gdc } = subject.cluster.access;
    if (!gdc || !isManaging(gdc.type)) return [];
    const { archived } = subject;
    if (archived) {
      const live = await liveClusters(subject, gdc);
      return managedFindings(
        archived.manages && compareManaged(archived.manages, live),
      );
    }
    if (subject.purpose === 'backup' && !gdc.manages) return [notRead(gdc)];
    return [];
  },
};

/** They were read with the machines; where these are out of an archive one of the nodes is asked. */
async function liveClusters(
  { nodes, signal }: CheckSubject,
  { manages }: GdcCluster,
): Promise<ManagedCluster[] | undefined> {
  if (manages) return manages;
  const answers = nodes.map(node =>
    askApi(node, 'own', signal, api =>
      api.get<{ items: KubernetesObject[] }>(CLUSTERS),
    ),
  );
  return Promise.any(answers).then(
    ({ items }) => managedAmong(items),
    () => undefined,
  );
}

const SAID: Record<
  Exclude<ManagedChange, 'same'>,
  { code: string; what: string; remedy: string }
> = {
  back: {
    code: 'gdc-managed-back',
    what: 'its spec goes back in time, to that of the backup',
    remedy:
      'Its controllers then make its machines what that spec says: an upgrade or a node of after the backup is not known any more. Save its Cluster and NodePools first (kubectl get -o yaml), and apply them as soon as the restore is over.',
  },
  forgotten: {
    code: 'gdc-managed-forgotten',
    what: 'it was created after the backup, and is forgotten',
    remedy:
      'It keeps running, managed by nobody. Save its Cluster, NodePools and the Secrets of its namespace first, and create them again when the restore is over.',
  },
  returns: {
    code: 'gdc-managed-returns',
    what: 'it was deleted after the backup, and comes back',
    remedy:
      'Its controllers will look for its machines. Delete it again when the restore is over, before its machines are used for something else.',
  },
  unknown: {
    code: 'gdc-managed-unknown',
    what: 'it is in the backup, and how it is now nobody could tell',
    remedy:
      'Whatever was changed of it after the backup is not known to the restored cluster. Look at it when the restore is over, before its controllers go on.',
  },
};

/**
 * What a restore does to user clusters, one finding each; those that stay as they are need none.
 *
 * @param compared - undefined where the backup does not tell of them
 * @public
 */
export function managedFindings(
  compared: ComparedCluster[] | undefined,
): Finding[] {
  const told = (code: string, message: string, remedy: string): Finding => ({
    check: managedClusters.id,
    level: 'reservation',
    code,
    message,
    remedy,
  });
  if (!compared) {
    return [
      told(
        'gdc-managed-not-archived',
        'The backup does not tell which user clusters the cluster managed: what becomes of them cannot be said before.',
        'Save the Cluster and NodePool resources of all namespaces first (kubectl get -o yaml), and compare them when the restore is over.',
      ),
    ];
  }
  return compared.flatMap(({ namespace, name, change }) => {
    if (change === 'same') return [];
    const { code, what, remedy } = SAID[change];
    const message = `User cluster ${namespace}/${name}: ${what}.`;
    return [told(code, message, remedy)];
  });
}

function notRead({ access }: GdcCluster): Finding {
  return {
    check: managedClusters.id,
    level: 'reservation',
    code: 'gdc-managed-not-read',
    message: `The kubeconfig of ${access.name} may not list the Cluster resources of all namespaces: the backup does not tell which user clusters it manages.`,
    remedy:
      'Let it list them, so that a restore can say before which of them go back in time.',
  };
}
