import { Description } from '../archive';
import { ClusterMachines } from '../cluster';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { ControlPlaneNode } from '../layout';

/** `v1.31.4` and `3.5.16-0` as numbers. */
function parsed(version: string): [number, number, number] | undefined {
  const match = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version);
  return match
    ? [Number(match[1]), Number(match[2]), Number(match[3])]
    : undefined;
}

/** How a version that will run stands to the one that wrote the data: the same minor, and no older, is right. */
function standing(
  runs: string,
  wrote: string,
): 'right' | 'older' | 'newer' | 'unknown' {
  const [now, then] = [parsed(runs), parsed(wrote)];
  if (!now || !then) return 'unknown';
  const differs = [0, 1, 2].find(i => now[i] !== then[i]);
  if (differs === undefined) return 'right';
  if (now[differs] < then[differs]) return 'older';
  return differs === 2 ? 'right' : 'newer';
}

/**
 * Compares what wrote the data with what will run on it: the images that the nodes' manifests name now. etcd reads a
 * snapshot of its own minor version; an API server cannot decode what a later one stored.
 *
 * @throws ClusterBackupError `archive-other-etcd`, `archive-newer-etcd`, `archive-other-kubernetes`,
 * `archive-newer-kubernetes`, `archive-other-gdc`
 */
export function refuseOtherVersions(
  access: ClusterMachines,
  nodes: ControlPlaneNode[],
  { versions }: Description,
) {
  for (const { machine, etcd, apiServer, kubernetesVersion = '' } of nodes) {
    const runs = [
      {
        what: 'etcd',
        runs: /:([^:/@]+)(?:@|$)/.exec(etcd.image)?.[1] ?? '',
        wrote: versions.etcd,
        manifestPath: etcd.manifestPath,
      },
      {
        what: 'kubernetes',
        runs: kubernetesVersion,
        wrote: versions.kubernetes ?? '',
        manifestPath: apiServer.manifestPath,
      },
    ];
    for (const component of runs) refuseOther(machine.name, component);
  }
  const { gdc } = access;
  const isKnown = gdc && !gdc.archivedSha256 && versions.gdc;
  if (!isKnown || gdc.version === versions.gdc) return;
  // The restored data has the Cluster resource of its day, where the cluster manages itself, and the files its images.
  if (gdc.type !== 'user' && nodes.every(({ filesBack }) => filesBack)) return;
  throw new ClusterBackupError({
    code: 'archive-other-gdc',
    message: `The cluster is of Google Distributed Cloud ${gdc.version}; the archive was taken from ${versions.gdc}.`,
    state: NOTHING_CHANGED,
    remedy: `Choose a backup of ${gdc.version}, or bring the cluster to ${versions.gdc} first.`,
    details: { found: gdc.version, archive: versions.gdc },
  });
}

function refuseOther(
  machine: string,
  component: {
    what: string;
    runs: string;
    wrote: string;
    manifestPath: string;
  },
) {
  const { what, runs, wrote, manifestPath } = component;
  const found = standing(runs, wrote);
  if (found === 'right' || found === 'unknown') return;
  const name = what === 'etcd' ? 'etcd' : 'Kubernetes';
  throw new ClusterBackupError({
    code: `archive-${found === 'older' ? 'newer' : 'other'}-${what}`,
    message: `${machine} runs ${name} ${runs}; the archive was taken from ${name} ${wrote}.`,
    state: NOTHING_CHANGED,
    remedy:
      found === 'older'
        ? `What an older ${name} makes of that data nobody knows: put an image of ${wrote}, or a later one of the same minor version, into ${manifestPath} on every control-plane node; or restore with files, which puts the archive's manifests back.`
        : `Data is restored into the same minor version of ${name} only: choose a backup of later than its upgrade, or put an image of ${wrote} into ${manifestPath} on every control-plane node; or restore with files, which puts the archive's manifests back.`,
    details: { machine, runs, archive: wrote },
  });
}
