import { KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ArchiveKeys,
  archiveName,
  ArchiveSummary,
  ArchiveWriter,
  createArchive,
  Description,
  formOf,
  Packing,
  refuseUnsafeName,
} from '../archive';
import { checkCluster, CheckReport, Finding, refuseOn } from '../checks';
import {
  cancelled,
  ClusterAccess,
  connectCluster,
  ConnectedCluster,
} from '../cluster';
import {
  commitCopies,
  Copy,
  CopyInMaking,
  copyOf,
  isAnywhere,
  openCopies,
  openOneCopy,
  proveCopies,
  refuseWithoutCopy,
  removeCopies,
  StoreToOpen,
  writeCopies,
} from '../copies';
import { ClusterBackupError, NOTHING_CHANGED, restated } from '../errors';
import { describedKeys } from '../gdc';
import { captureFiles, ControlPlaneNode } from '../layout';
import { askApi } from '../kubernetes';
import { Progress, toldBytes } from '../progress';
import { WrittenReason } from '../reason';
import { engineVersion } from '../version';
import {
  keptDataOf,
  restingData,
  runningMember,
  SnapshotSource,
} from './snapshotSource';

/** @public */
export interface BackupOptions extends Packing {
  cluster: ClusterAccess;
  /** `NAMESPACE/NAME`: where in the stores this cluster's archives are; the cluster's identity is added. */
  folder: string;
  /** The archive's own name, instead of `CLUSTER_backup_TIMESTAMP` and the ending of its form. */
  name?: string;
  /** At least one; the archive goes to all of them. */
  stores: StoreToOpen[];
  /** Ed25519 private key. */
  signingKey: KeyObject;
  /** Why it is taken, where it is not for its own sake. */
  occasion?: 'before-restore';
  /**
   * When etcd lost its quorum, backs up the member with the latest data, running or stopped, and says so in the
   * reservation `etcd-without-quorum`.
   */
  withoutQuorum?: boolean;
  /** Why a person asked for that; it is kept with the reservation. */
  reason?: WrittenReason;
  /** Of a restore: backs up the data that it replaced and kept, not the cluster as it runs. */
  kept?: string;
  /**
   * Before it counts, opens what is stored, as a restore would. It takes as long again as half the backup
   * (docs/performance.md); without it the stored bytes are compared with those that were written.
   */
  proveContents?: boolean;
  progress?: Progress;
  signal?: AbortSignal;
}

/** @public */
export interface BackupResult {
  /** The archive's key in the stores. */
  key: string;
  summary: ArchiveSummary;
  reservations: Finding[];
  /** One for each store, at least one of them without a problem. */
  copies: Copy[];
}

const UNENCRYPTED: Finding = {
  check: 'encryption',
  level: 'reservation',
  code: 'archive-unencrypted',
  message:
    'The archive is stored unencrypted: whoever can read the store can read every Secret and every private key of this cluster.',
  remedy:
    'Make a key (cluster-backup keygen), put its public half into recipients, and remove dangerouslyStoreUnencrypted.',
};

/** What the parts of one backup share. */
interface Backup extends BackupOptions {
  progress: Progress;
  signal: AbortSignal;
  connected: ConnectedCluster;
  nodes: ControlPlaneNode[];
  reservations: Finding[];
  copies: CopyInMaking[];
}

/**
 * Takes a backup: checks the cluster, chooses the fittest member, and streams its snapshot and every control-plane
 * node's files, packed, encrypted and signed, into the stores. It is a backup once one store gives back what it was given. What is not as it should be is kept as a
 * reservation; only what makes the bytes untrue or unstorable stops it.
 *
 * @throws ClusterBackupError of every room it passes through
 * @public
 */
export async function backupCluster(
  options: BackupOptions,
): Promise<BackupResult> {
  const progress = options.progress ?? (() => {});
  const signal = options.signal ?? new AbortController().signal;
  if (options.name !== undefined) refuseUnsafeName(options.name);
  if (options.dangerouslyStoreUnencrypted) refuseSpools(options.stores);
  const copies = await openCopies(options.stores);
  refuseWithoutCopy(copies);
  const connected = await connectCluster(options.cluster, { signal });
  try {
    const report = await checkCluster(connected, {
      purpose: 'backup',
      withoutQuorum: options.withoutQuorum,
      withoutMembers: options.kept !== undefined,
      progress,
      signal,
    });
    refuseOn(report.findings);
    const { source, found } = await chooseSource(report, options.kept, signal);
    try {
      return await store(
        {
          ...options,
          progress,
          signal,
          connected,
          nodes: report.nodes,
          copies,
          reservations: [
            ...found,
            ...report.findings
              .filter(({ level }) => level === 'reservation')
              .map(finding => askedFor(finding, options.reason)),
            ...(options.dangerouslyStoreUnencrypted ? [UNENCRYPTED] : []),
          ],
        },
        source,
      );
    } finally {
      await source.close();
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

/** What the snapshot is taken from, once nothing speaks against it. */
async function chooseSource(
  { nodes, fitness, survivor }: CheckReport,
  kept: string | undefined,
  signal: AbortSignal,
): Promise<{ source: SnapshotSource; found: Finding[] }> {
  if (kept !== undefined) {
    const { source, reservation } = await keptDataOf(nodes, kept, signal);
    return { source, found: [reservation] };
  }
  const name = fitness?.chosen ?? survivor?.member;
  const node = nodes.find(({ etcd }) => etcd.name === name)!;
  const source = survivor?.data
    ? restingData(node, survivor.data)
    : await runningMember(node, signal);
  return { source, found: [] };
}

/** Whoever restores it later reads why it was taken like this. */
function askedFor(finding: Finding, reason?: WrittenReason): Finding {
  if (finding.code !== 'etcd-without-quorum' || !reason) return finding;
  const { by, text } = reason;
  return {
    ...finding,
    message: `${finding.message} ${by} asked for it: ${text}`,
  };
}

/** A disk between is for what nobody can read there. */
function refuseSpools(stores: StoreToOpen[]) {
  const spooled = stores.filter(({ spool }) => spool).map(({ id }) => id);
  if (!spooled.length) return;
  throw new ClusterBackupError({
    code: 'spool-unencrypted',
    message: `Archives are stored unencrypted, and would lie on this machine's disk so before ${spooled.join(
      ', ',
    )} took them.`,
    state: `${NOTHING_CHANGED} No backup was taken.`,
    remedy:
      'Encrypt them to recipients, or leave useDisk out: what a store takes at its own pace then holds up the others.',
    details: { stores: spooled },
  });
}

/** Streams the archive into the stores. When it cannot be written all end; a store that fails is left behind. */
async function store(
  backup: Backup,
  source: SnapshotSource,
): Promise<BackupResult> {
  const { copies: open, progress, reservations } = backup;
  const stop = new AbortController();
  const signal = AbortSignal.any([backup.signal, stop.signal]);
  const folder = `${backup.folder}/${source.node.caFingerprint.slice(0, 8)}`;
  const { now, key } = await keyIn(folder, backup);
  const keys = { fileKey: new Uint8Array() };
  const archive = createArchive({
    ...backup,
    learnFileKey: fileKey => {
      keys.fileKey = fileKey;
    },
    signal,
  });
  const [packed, written] = await Promise.all([
    pack({ ...backup, signal }, archive, source, now).then(
      summary => ({ summary }),
      error => {
        stop.abort(error);
        archive.abort(error as Error);
        return { error };
      },
    ),
    writeCopies(open, key, archive.ciphertext, { signal, progress }),
  ]);
  if ('error' in packed) {
    keys.fileKey.fill(0);
    // An archive is abandoned when no store takes it any more.
    const { code } = packed.error as ClusterBackupError;
    if (code === 'archive-abandoned') refuseWithoutCopy(written);
    throw packed.error;
  }
  const { summary } = packed;

  const told = { type: 'step', step: 'confirm', title: 'Confirm' } as const;
  progress({ ...told, status: 'started' });
  const proven = await prove(backup, written, key, summary, keys).finally(() =>
    keys.fileKey.fill(0),
  );
  refuseWithoutCopy(proven);
  const copies = await commitCopies(proven, key, summary);
  refuseWithoutCopy(copies);
  progress({ ...told, status: 'done' });
  return { key, summary, reservations, copies: copies.map(copyOf) };
}

/** What is stored and no backup yet is removed when it is not to be one. */
async function prove(
  { proveContents, signal }: Backup,
  written: CopyInMaking[],
  key: string,
  summary: ArchiveSummary,
  keys: ArchiveKeys,
): Promise<CopyInMaking[]> {
  try {
    const same = await proveCopies(written, key, summary, signal);
    signal.throwIfAborted();
    if (!proveContents) return same;
    const opened = await openOneCopy(same, key, summary, { keys, signal });
    signal.throwIfAborted();
    return opened;
  } catch (error) {
    await removeCopies(written, key);
    throw error;
  }
}

/** Names hold seconds: of two backups in one second the later one waits for the next. A chosen name is had once. */
async function keyIn(
  folder: string,
  { cluster, copies, name, ...packing }: Backup,
): Promise<{ now: Date; key: string }> {
  for (;;) {
    const now = new Date();
    const key = `${folder}/${
      name ?? archiveName(cluster.name, now, formOf(packing))
    }`;
    if (!(await isAnywhere(copies, key))) return { now, key };
    if (name !== undefined) throw nameTaken(key);
    await sleep(1000 - now.getMilliseconds());
  }
}

function nameTaken(key: string) {
  return new ClusterBackupError({
    code: 'archive-name-taken',
    message: `There is a file ${key} already.`,
    state: `It was left as it is. ${NOTHING_CHANGED} No backup was stored.`,
    remedy: 'Choose another name.',
    details: { key },
  });
}

/** Writes the archive's parts in their order, each node's files as they stream from it. */
async function pack(
  backup: Backup,
  archive: ArchiveWriter,
  source: SnapshotSource,
  now: Date,
): Promise<ArchiveSummary> {
  const { node: chosen, etcdVersion } = source;
  const { progress, signal, nodes } = backup;
  const kubeSystemUid = askApi(chosen, 'own', signal, api =>
    api.kubeSystemUid(),
  ).catch(() => undefined);
  const snapshot = await source.open(signal, archive.takeBlock);
  await archive.description(
    describe(backup, chosen, {
      etcdVersion,
      kubeSystemUid: await kubeSystemUid,
      size: snapshot.size,
      now,
    }),
  );

  const { gdc } = backup.connected.access;
  if (gdc) {
    const list = { apiVersion: 'v1', kind: 'List', items: gdc.objects };
    await archive.objects(Buffer.from(`${JSON.stringify(list, null, 2)}\n`));
  }

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
  await source.judge(facts);
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
  { cluster, connected, nodes, reservations, occasion, name }: Backup,
  chosen: ControlPlaneNode,
  found: {
    etcdVersion: string;
    kubeSystemUid?: string;
    size: number;
    now: Date;
  },
): Description {
  const reachedAt = (machine: string) => {
    const { access } = connected.outcomes.find(o => o.access.name === machine)!;
    const { address, port, user } = access;
    return { name: machine, address, ...(port && { port }), user };
  };
  const { gdc } = connected.access;
  return {
    formatVersion: 1,
    cluster: {
      name: cluster.name,
      layout: cluster.layout,
      type: gdc?.type,
      caFingerprint: chosen.caFingerprint,
      kubeSystemUid: found.kubeSystemUid,
      manages: gdc?.manages,
      managedBy: gdc?.managedBy,
    },
    createdAt: found.now.toISOString(),
    createdBy: { engine: engineVersion },
    occasion,
    name,
    versions: {
      kubernetes: chosen.kubernetesVersion,
      etcd: found.etcdVersion,
      gdc: gdc?.version,
    },
    keys: gdc && describedKeys(gdc),
    nodes: nodes.map(({ machine, etcd }) => ({
      ...reachedAt(machine.name),
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
        ? [{ ...reachedAt(access.name), hostKey: machine.hostKey }]
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
