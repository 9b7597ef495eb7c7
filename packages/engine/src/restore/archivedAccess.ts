import { createHash } from 'node:crypto';
import { ArchiveProof, Description, readArchive } from '../archive';
import { archiveAltered } from '../archive/archiveErrors';
import { OBJECTS_ENTRY } from '../archive/entries';
import { ClusterMachines } from '../cluster';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { GdcAccess, gdcClusterOf, gdcMachines, KubernetesObject } from '../gdc';
import { HostKeyRule } from '../machine';
import { knownHostsName, lookUpKnownHosts } from '../machine/knownHosts';
import { ArchiveSource } from './restoreCluster';

/**
 * The machines of a cluster as its archive has them, for the day when the API server that holds its Cluster resource is
 * gone. An archive's first entries are read, and not proven: whoever restores reads it whole, and sees to it that they
 * were the same ({@link refuseOtherObjects}).
 *
 * @throws ClusterBackupError `archive-without-access`, those of reading an archive and of {@link gdcMachines}
 */
export async function archivedMachines(
  access: GdcAccess,
  archive: ArchiveSource,
  signal: AbortSignal,
): Promise<ClusterMachines> {
  const { description, list } = await firstEntries(archive, signal);
  if (!list) throw withoutAccess();
  const cluster = gdcClusterOf(access, objectsIn(list));
  const { sshKeyFrom, ...machines } = gdcMachines(
    cluster,
    describedHostKeys(access, description),
  );
  const { name, layout } = access;
  const archivedSha256 = createHash('sha256').update(list).digest('hex');
  return {
    name,
    layout,
    ...machines,
    gdc: { ...cluster, sshKeyFrom, archivedSha256 },
  };
}

/**
 * Refuses an archive that is not the one that the machines were looked up in.
 *
 * @throws ClusterBackupError `archive-altered`
 */
export function refuseOtherObjects(
  { gdc }: ClusterMachines,
  { checksums }: ArchiveProof,
) {
  const proven = checksums.entries.find(({ name }) => name === OBJECTS_ENTRY);
  const used = gdc?.archivedSha256;
  if (!used || used === proven?.sha256) return;
  throw archiveAltered(
    'The archive names other machines or another key than when it was opened a moment ago.',
  );
}

/**
 * What an archive begins with: its description, and with the layout `gdc` the list of objects. Not proven.
 *
 * @throws those of reading an archive
 */
export async function firstEntries(
  archive: ArchiveSource,
  signal: AbortSignal,
): Promise<{ description: Description; list?: Buffer }> {
  let description: Description | undefined;
  let list: Buffer | undefined;
  const enough = new Error('The first entries were read.');
  const stop = () => {
    throw enough;
  };
  try {
    await readArchive(
      await archive.open(signal),
      { ...archive.key, signal },
      {
        description(found) {
          description = found;
        },
        objects(found) {
          list = found;
          stop();
        },
        nodeFile: stop,
        snapshot: stop,
      },
    );
  } catch (error) {
    if (error !== enough) throw error;
  }
  return { description: description!, list };
}

function withoutAccess() {
  return new ClusterBackupError({
    code: 'archive-without-access',
    message:
      'The archive does not say how the machines of its cluster are reached: it was not made with the layout gdc.',
    state: NOTHING_CHANGED,
    remedy: 'Configure the cluster with the layout that it was backed up with.',
  });
}

/**
 * The objects in an archive. Whoever knows the recipients can make one: what is in it is looked at before it is used.
 *
 * @throws ClusterBackupError `archive-altered`
 */
export function objectsIn(list: Buffer): KubernetesObject[] {
  let document: { items?: unknown } | null;
  try {
    document = JSON.parse(list.toString());
  } catch {
    document = null;
  }
  const items = Array.isArray(document?.items) ? document.items : undefined;
  if (items?.every(isObject)) return items;
  throw archiveAltered(
    `${OBJECTS_ENTRY} in the archive is no list of Kubernetes objects.`,
  );
}

function isObject(item: Partial<KubernetesObject> | null): boolean {
  const { kind, metadata } = item ?? {};
  return typeof kind === 'string' && typeof metadata?.name === 'string';
}

/** The host keys of the day of the backup, of machines that nothing else is known of. */
function describedHostKeys(
  { ssh }: GdcAccess,
  { nodes, workers }: Description,
): Map<string, HostKeyRule> {
  const { mode, knownHosts = '' } = ssh.hostKeys;
  return new Map(
    [...nodes, ...workers].map(({ address, port = 22, hostKey }) => {
      const host = knownHostsName(address, ssh.port ?? port);
      const { keys } = lookUpKnownHosts(knownHosts, host);
      const lines = keys.length
        ? knownHosts
        : `${knownHosts}\n${host} ${hostKey}`;
      return [address, { mode, knownHosts: lines }];
    }),
  );
}
