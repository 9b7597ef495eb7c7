import { KeyObject } from 'node:crypto';
import {
  archiveName,
  ArchiveSummary,
  ArchiveWriter,
  createArchive,
  Description,
  encodeSummary,
  summaryName,
} from '../archive';
import { checkCluster, Finding, refuseOn } from '../checks';
import {
  cancelled,
  ClusterAccess,
  connectCluster,
  ConnectedCluster,
} from '../cluster';
import { ClusterBackupError, NOTHING_CHANGED, restated } from '../errors';
import { connectMember, EtcdMember } from '../etcd';
import { captureFiles, ControlPlaneNode } from '../layout';
import { askApi } from '../kubernetes';
import { Progress, toldBytes } from '../progress';
import { BackupStore } from '../store';
import { engineVersion } from '../version';

/** @public */
export interface BackupOptions {
  cluster: ClusterAccess;
  store: BackupStore;
  /** age recipients; at least one. Who holds one of their identities can open the archive. */
  recipients: string[];
  /** Ed25519 private key. */
  signingKey: KeyObject;
  /** gzip's level, 1 (default) to 9. */
  compressionLevel?: number;
  progress?: Progress;
  signal?: AbortSignal;
}

/** @public */
export interface BackupResult {
  /** The archive's key in the store. */
  key: string;
  summary: ArchiveSummary;
  reservations: Finding[];
}

/** What the parts of one backup share. */
interface Backup extends BackupOptions {
  progress: Progress;
  signal: AbortSignal;
  connected: ConnectedCluster;
  nodes: ControlPlaneNode[];
  reservations: Finding[];
}

/**
 * Takes a backup: checks the cluster, chooses the fittest member, and streams its snapshot and every control-plane
 * node's files, packed, encrypted and signed, into the store. What is not as it should be is kept as a reservation;
 * only what makes the bytes untrue or unstorable stops it.
 *
 * @throws ClusterBackupError of every room it passes through
 * @public
 */
export async function backupCluster(
  options: BackupOptions,
): Promise<BackupResult> {
  const progress = options.progress ?? (() => {});
  const signal = options.signal ?? new AbortController().signal;
  const connected = await connectCluster(options.cluster, { signal });
  try {
    const { findings, nodes, fitness } = await checkCluster(connected, {
      purpose: 'backup',
      progress,
      signal,
    });
    refuseOn(findings);
    const chosen = nodes.find(node => node.etcd.name === fitness?.chosen)!;
    const member = await connectMember(chosen, { signal });
    try {
      return await store(
        {
          ...options,
          progress,
          signal,
          connected,
          nodes,
          reservations: findings.filter(
            finding => finding.level === 'reservation',
          ),
        },
        chosen,
        member,
      );
    } finally {
      await member.close();
    }
  } catch (error) {
    const state = `${NOTHING_CHANGED} No backup was stored.`;
    // Whatever came of being told to stop, it is not what the person should read.
    if (signal.aborted) throw cancelled(state);
    // What a machine says of its command says nothing of the backup; the store says more.
    throw error instanceof ClusterBackupError &&
      !error.state.includes(NOTHING_CHANGED)
      ? restated(error, state)
      : error;
  } finally {
    await connected.close();
  }
}

/** Streams the archive into the store; when either side fails both end, and the store keeps nothing. */
async function store(
  backup: Backup,
  chosen: ControlPlaneNode,
  member: EtcdMember,
): Promise<BackupResult> {
  const { cluster, store: into, progress } = backup;
  const stop = new AbortController();
  const signal = AbortSignal.any([backup.signal, stop.signal]);
  const now = new Date();
  const archive = createArchive({
    recipients: backup.recipients,
    signingKey: backup.signingKey,
    compressionLevel: backup.compressionLevel,
    signal,
  });
  const folder = `default/${cluster.name}/${chosen.caFingerprint.slice(0, 8)}`;
  const key = `${folder}/${archiveName(cluster.name, now)}`;

  let first: { error: unknown } | undefined;
  const end = (error: unknown) => {
    first ??= { error };
    stop.abort(error);
    archive.abort(error as Error);
  };
  const [summary, stored] = await Promise.all([
    pack({ ...backup, signal }, archive, chosen, member, now).catch(end),
    into.put(key, archive.ciphertext, { signal }).catch(end),
  ]);
  if (first) throw first.error;

  progress({
    type: 'step',
    step: 'confirm',
    title: 'Confirm',
    status: 'started',
  });
  await confirm(into, key, summary!, stored!.size);
  progress({
    type: 'step',
    step: 'confirm',
    title: 'Confirm',
    status: 'done',
  });
  return { key, summary: summary!, reservations: backup.reservations };
}

/** Writes the archive's parts in their order, each node's files as they stream from it. */
async function pack(
  backup: Backup,
  archive: ArchiveWriter,
  chosen: ControlPlaneNode,
  member: EtcdMember,
  now: Date,
): Promise<ArchiveSummary> {
  const { progress, signal, nodes } = backup;
  const kubeSystemUid = askApi(chosen, 'own', signal, api =>
    api.kubeSystemUid(),
  ).catch(() => undefined);
  const { revision: earliest, version } = await member.status();
  const snapshot = await member.snapshot(signal, archive.takeBlock);
  await archive.description(
    describe(backup, chosen, {
      etcdVersion: version,
      kubeSystemUid: await kubeSystemUid,
      size: snapshot.size,
      now,
    }),
  );

  progress({
    type: 'step',
    step: 'capture',
    title: 'Capture the files of the control-plane nodes',
    status: 'started',
  });
  for (const node of nodes) {
    for await (const file of captureFiles(node, { signal, progress })) {
      const mtime = Math.floor(file.header.mtime.getTime() / 1000);
      await archive.nodeFile(
        node.machine.name,
        { ...file.header, mtime },
        file.source,
      );
    }
  }
  progress({ type: 'step', step: 'capture', title: 'Capture', status: 'done' });

  progress({
    type: 'step',
    step: 'snapshot',
    title: `Stream the snapshot of ${chosen.etcd.name}`,
    status: 'started',
  });
  await archive.snapshot(
    snapshot.size,
    toldBytes(snapshot.stream, 'snapshot', snapshot.size, progress),
    snapshot.facts.then(({ sha256 }) => sha256),
  );
  const facts = await snapshot.facts;
  const { revision: latest } = await member.status();
  if (facts.revision < earliest || facts.revision > latest) {
    throw new ClusterBackupError({
      code: 'snapshot-revision-wrong',
      message: `The snapshot of ${chosen.etcd.name} holds revision ${facts.revision}, outside of ${earliest} to ${latest} which the member stood at.`,
      state: NOTHING_CHANGED,
      remedy: `Look at the health of ${chosen.etcd.name}; a backup of another member may be taken when it is stopped.`,
      details: { member: chosen.etcd.name, earliest, latest, ...facts },
    });
  }
  progress({
    type: 'step',
    step: 'snapshot',
    title: 'Snapshot',
    status: 'done',
  });
  return archive.finish({
    revision: facts.revision,
    snapshotSha256: facts.sha256,
  });
}

function describe(
  { cluster, connected, nodes, reservations }: Backup,
  chosen: ControlPlaneNode,
  found: {
    etcdVersion: string;
    kubeSystemUid?: string;
    size: number;
    now: Date;
  },
): Description {
  const addressOf = (name: string) =>
    connected.outcomes.find(({ access }) => access.name === name)!.access
      .address;
  return {
    formatVersion: 1,
    cluster: {
      name: cluster.name,
      layout: cluster.layout,
      caFingerprint: chosen.caFingerprint,
      kubeSystemUid: found.kubeSystemUid,
    },
    createdAt: found.now.toISOString(),
    createdBy: { engine: engineVersion },
    versions: { kubernetes: chosen.kubernetesVersion, etcd: found.etcdVersion },
    nodes: nodes.map(({ machine, etcd }) => ({
      name: machine.name,
      address: addressOf(machine.name),
      hostKey: machine.hostKey,
      etcd: {
        name: etcd.name,
        peerUrls: etcd.peerUrls,
        clientUrls: etcd.advertisedClientUrls,
        dataDir: etcd.dataDir,
      },
    })),
    workers: connected.outcomes.flatMap(({ access, machine, role }) =>
      role === 'worker' && machine
        ? [
            {
              name: access.name,
              address: access.address,
              hostKey: machine.hostKey,
            },
          ]
        : [],
    ),
    snapshot: { member: chosen.etcd.name, size: found.size },
    reservations: reservations.map(({ code, check, message, machine }) => ({
      id: code,
      title: check,
      message,
      machine,
    })),
  };
}

/** The summary is written last: an archive without one is an orphan, not a backup. */
async function confirm(
  into: BackupStore,
  key: string,
  summary: ArchiveSummary,
  written: number,
) {
  const stored = await into.head(key);
  if (stored?.size !== summary.ciphertext.size || written !== stored.size) {
    await into.remove(key);
    throw new ClusterBackupError({
      code: 'store-lost-bytes',
      message: `Store ${into.id} was given ${
        summary.ciphertext.size
      } bytes of ${key} and holds ${stored?.size ?? 'none'}.`,
      state: `${NOTHING_CHANGED} The archive was removed again.`,
      remedy: `Look at store ${into.id}, then take the backup again.`,
      details: { store: into.id, key },
    });
  }
  await into.put(summaryName(key), only(encodeSummary(summary)));
}

async function* only(bytes: Buffer) {
  yield bytes;
}
