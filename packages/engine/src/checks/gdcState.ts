import { clusterIn, GdcCluster, KubernetesObject } from '../gdc';
import { Check, CheckSubject, Finding } from './Check';

/** Minor versions of Google Distributed Cloud, 1.x, whose layout this release was written for. */
const KNOWN = { from: 28, to: 35 };

interface Condition {
  type?: unknown;
  status?: unknown;
  reason?: unknown;
  message?: unknown;
}

/** What those who manage the cluster say of it. An archive's word about it is of the past. */
export const gdcState: Check = {
  id: 'gdc-state',
  title: 'The cluster is managed, stands still, and is of a known version',
  async run(subject) {
    const { gdc } = subject.cluster.access;
    if (!gdc) return [];
    const found = [...versionFindings(gdc), ...keyFindings(gdc)];
    if (gdc.archivedSha256) return found;
    return [...found, ...stateFindings(gdc), ...jobFindings(subject, gdc)];
  },
};

function reservation(code: string, message: string, remedy: string): Finding {
  return { check: gdcState.id, level: 'reservation', code, message, remedy };
}

function versionFindings({ version }: GdcCluster): Finding[] {
  const minor = Number(/^1\.(\d+)\./.exec(version)?.[1] ?? NaN);
  if (minor >= KNOWN.from && minor <= KNOWN.to) return [];
  return [
    reservation(
      'gdc-version-unknown',
      `This release knows Google Distributed Cloud 1.${KNOWN.from} to 1.${
        KNOWN.to
      }; the cluster is ${version || 'of a version that it does not tell'}.`,
      'Look for a later release of this program, and try a restore on a cluster that may be lost.',
    ),
  ];
}

function keyFindings({ access, sshKeyFrom }: GdcCluster): Finding[] {
  if (sshKeyFrom) return [];
  return [
    reservation(
      'gdc-ssh-key-not-captured',
      `The SSH key of ${access.name} comes from the configuration, so the backup has none: a restore from the archive alone is not possible.`,
      'Keep that key where the archive is not, and reachable without the cluster.',
    ),
  ];
}

function stateFindings({ access, objects }: GdcCluster): Finding[] {
  const cluster = clusterIn(access, objects);
  const { name, namespace } = access.resource;
  const look = `kubectl describe cluster ${name} -n ${namespace}.`;
  if (!cluster.status) {
    return [
      reservation(
        'gdc-state-unknown',
        `Nobody has told the state of the Cluster ${name} yet.`,
        `Look whether its controllers run: ${look}`,
      ),
    ];
  }
  const wanted = cluster.spec?.anthosBareMetalVersion;
  const present = cluster.status?.anthosBareMetalVersion;
  const state = cluster.status?.clusterState;
  return [
    ...(wanted === present
      ? []
      : [
          reservation(
            'gdc-upgrade-unfinished',
            `The Cluster ${name} is to be ${wanted} and is ${present}: an upgrade is under way or was left half-way.`,
            `Let it end, then take another backup: ${look}`,
          ),
        ]),
    ...(state === undefined || state === 'Running'
      ? []
      : [
          reservation(
            'gdc-not-running',
            `The Cluster ${name} is ${state}, not Running.`,
            `Look why: ${look}`,
          ),
        ]),
    ...objects.filter(isManaged).flatMap(object =>
      conditionsIn(object.status)
        .filter(
          ({ type, status }) => type === 'Reconciling' && status !== 'False',
        )
        .map(({ status, reason, message }) =>
          reservation(
            'gdc-reconciling',
            `${object.kind} ${
              object.metadata.name
            } does not stand still: Reconciling is ${status} (${
              message ?? reason ?? 'no reason is told'
            }).`,
            `Wait until it is False: ${look}`,
          ),
        ),
    ),
  ];
}

function isManaged({ kind }: KubernetesObject): boolean {
  return kind === 'Cluster' || kind === 'NodePool';
}

/** A status has conditions in several places, under names that differ from version to version. */
function conditionsIn(value: unknown): Condition[] {
  if (!value || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'conditions' && Array.isArray(inner)
      ? (inner as Condition[])
      : conditionsIn(inner),
  );
}

/** They work on the machines over SSH, and would do so in the middle of a restore. */
function jobFindings(
  { purpose }: CheckSubject,
  { type, runningJobs = [] }: GdcCluster,
): Finding[] {
  const isInTheWay = purpose === 'restore' && type === 'user';
  return runningJobs.map(name => ({
    ...reservation(
      'gdc-job-running',
      `The job ${name} is at work on the machines.`,
      'Wait until it has ended.',
    ),
    level: isInTheWay ? 'refusal' : 'reservation',
  }));
}
