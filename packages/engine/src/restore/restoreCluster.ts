import { isDeepStrictEqual } from 'node:util';
import {
  ArchiveKeys,
  ArchiveProof,
  Description,
  readArchive,
} from '../archive';
import {
  checkCluster,
  EVENTS_UNWELL,
  Finding,
  NodesRead,
  readNodes,
  refuseOn,
} from '../checks';
import {
  cancelled,
  ClusterAccess,
  connectCluster,
  ConnectedCluster,
} from '../cluster';
import { ClusterBackupError, NOTHING_CHANGED, restated } from '../errors';
import { ControlPlaneNode } from '../layout';
import { KubernetesObject } from '../gdc';
import { askApi } from '../kubernetes';
import { Progress } from '../progress';
import { WrittenReason } from '../reason';
import {
  archivedMachines,
  objectsIn,
  refuseOtherObjects,
} from './archivedAccess';
import { ArchivedFiles } from './ArchivedFiles';
import { decideFiles } from './decideFiles';
import {
  Decision,
  decisionOf,
  overridden,
  overriddenFindings,
} from './decision';
import { Journal, readJournal, takeOver } from './journal';
import { leaveOut, leftOutFindings, without } from './leaveOut';
import {
  isCommitBegun,
  isPastReturn,
  isTakenOver,
  journalsOf,
  nodesOf,
  onAll,
  onReached,
  performCommit,
  Reach,
  releaseNode,
  standTogether,
  undoCommit,
} from './perform';
import {
  Answered,
  chooseBump,
  makePlan,
  operationName,
  Plan,
  refuseExpired,
  refuseOtherArchive,
  RestoreOrigin,
  VerifiedArchive,
  workspaceOf,
} from './plan';
import {
  buildMembers,
  claimMachines,
  receiveSnapshot,
  stageFiles,
  sweepWorkspace,
} from './prepare';
import { putBackManaged } from './putBackManaged';
import { backUpFirst, SafetyBackup } from './safetyBackup';
import { Attempting, Boundary, StepNode } from './Step';
import { ask } from './steps/members';
import { lastRevision } from './steps/weighBump';

/** An archive to restore from, read once from its first byte to its last. @public */
export interface ArchiveSource {
  open(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** sha256 of the file, hex, from its verified summary, where there is one. */
  sha256?: string;
  /** A person vouches for the file of that sha256; then it does not matter who signed it. */
  digestConfirmed?: boolean;
  /** What opens it: age identities, or the file key of this one archive; nothing where it is not encrypted. */
  key?: ArchiveKeys;
  /** Fingerprints of the signing keys that are trusted. */
  trustedSigners: string[];
  /** An older one is refused. Default {@link EXPIRE_AFTER_DAYS}. */
  expireAfterDays?: number;
}

/** The state that a restore which failed and was undone everywhere leaves. @public */
export const TAKEN_BACK =
  'The restore was taken back: every machine is as it was before it.';

/** @public */
export interface RestoreOptions {
  cluster: ClusterAccess;
  archive: ArchiveSource;
  /** Do everything up to the commit, then take it back. */
  dryRun?: boolean;
  /**
   * Put back certificates, keys and manifests on every control-plane node, of a replaced CA too; by default only where
   * those on a node cannot serve the archive's data.
   */
  withFiles?: boolean;
  /**
   * Control-plane machines that a person states to be powered off for good: the restored cluster has no members on them.
   */
  leaveOut?: string[];
  /** Codes of refusals that do not stop this restore, of {@link OVERRIDABLE}. */
  overrides?: string[];
  /** Why; nothing of `withFiles`, `leaveOut` and `overrides` is done without. */
  reason?: WrittenReason;
  /** Who wants it; it is left on the machines. */
  origin?: RestoreOrigin;
  /** Backs up what is about to be replaced. */
  safetyBackup?: SafetyBackup;
  progress?: Progress;
  /** Obeyed until the point of no return. */
  signal?: AbortSignal;
  boundary?: Boundary;
}

/** @public */
export interface RestoreResult {
  operation: string;
  plan: Plan;
  verified: VerifiedArchive;
  reservations: Finding[];
  /** From the first API server's stop to the last one's readiness. */
  outageSeconds: number;
  /** The data of before, by machine. It stays until someone removes it. */
  kept: Array<{ machine: string; path: string }>;
}

/**
 * Puts an archive back: proves everything it can, prepares each node's member beside the living one, stops the
 * control plane, renames, starts it. Undoes itself when it fails before the point of no return.
 *
 * @throws ClusterBackupError `restore-unfinished` when an earlier restore was left half-way, `reason-missing`,
 * `override-never`, and those of every room
 * @public
 */
export async function restoreCluster(
  options: RestoreOptions,
): Promise<RestoreResult> {
  const decision = decisionOf(options);
  return attemptOn(options, async (connected, run) => {
    const cluster = leaveOut(connected, options.leaveOut);
    const journals = await readJournals(cluster).catch(error => {
      throw restated(causeOf(error, run.signal), NOTHING_CHANGED);
    });
    refuseUnfinished(journals);
    const found = await backUpFirst(cluster.access, options, run);
    const prepared = await prepare(cluster, { ...options, decision }, run, {
      fence: nextFence(journals),
    });
    const { dryRun = false } = options;
    const result = await commit(prepared, run, dryRun);
    const managed = dryRun
      ? []
      : await putBackManaged(cluster.access, prepared.objects, run.progress);
    const reservations = [...found, ...result.reservations, ...managed].filter(
      finding => finding.level === 'reservation',
    );
    return { ...result, reservations };
  });
}

/**
 * Goes on with a restore that was left half-way, from the journals on the machines alone; the archive is asked for
 * only when the preparation was not finished.
 *
 * @throws ClusterBackupError `restore-none-unfinished`, `resume-needs-archive`, and those of every room
 * @public
 */
export async function resumeRestore(options: {
  cluster: ClusterAccess;
  archive?: ArchiveSource;
  progress?: Progress;
  signal?: AbortSignal;
  boundary?: Boundary;
}): Promise<RestoreResult> {
  return attemptOn(options, async (connected, run) => {
    const { plan, journals: found } = await readUnfinished(connected);
    const cluster = without(connected, plan.leftOut);
    const attempting = attempt(cluster, plan, nextFence(found), run);
    const nodes = await nodesOf(attempting);
    await takeOverAll(attempting, nodes);
    const journals = await journalsOf(attempting, nodes);
    unfinished(journals);

    const past = journals.some(isPastReturn);
    const verified = preparedEverywhere(journals);
    if (!verified && !options.archive) {
      throw new ClusterBackupError({
        code: 'resume-needs-archive',
        message: `The preparation of ${plan.operation} was not finished on every machine.`,
        state: 'Nothing was changed by this attempt.',
        remedy: 'Resume with the archive and its key, or undo.',
        details: { operation: plan.operation },
      });
    }
    const cutOff = journals.some(isCommitBegun) && standTogether(journals);
    if (verified && (past || cutOff)) {
      return commit({ attempting, verified, reservations: [] }, run, false);
    }
    await evenOut(attempting, nodes);
    if (verified) {
      const reservations = await checkPrepared(attempting);
      return commit({ attempting, verified, reservations }, run, false);
    }
    const again = { ...options, archive: options.archive! };
    const { fence } = attempting.attempt;
    const prepared = await prepare(cluster, again, run, { fence, plan });
    return commit(prepared, run, false);
  });
}

/** What was prepared a while ago begins on machines as they are now. Room for the member is not needed any more. */
async function checkPrepared(attempting: Attempting) {
  const { cluster, plan, progress, signal } = attempting;
  const report = await checkCluster(cluster, {
    purpose: 'restore',
    read: await asPlanned(attempting, await readNodes(cluster, signal)),
    snapshot: { size: 0, etcdVersion: plan.archive.etcdVersion },
    progress,
    signal,
  });
  const findings = overridden(report.findings, plan.decision);
  refuseOn(findings);
  return findings.filter(finding => finding.level === 'reservation');
}

/** Nodes that get files back are not yet what they will be: the plan says what. */
async function asPlanned(
  attempting: Pick<Attempting, 'cluster' | 'plan'>,
  { nodes, unreadable }: NodesRead,
): Promise<NodesRead> {
  const planned = (await nodesOf(attempting)).filter(node => node.filesBack);
  const isPlanned = (name: string) =>
    planned.some(({ machine }) => machine.name === name);
  return {
    nodes: [
      ...nodes.filter(({ machine }) => !isPlanned(machine.name)),
      ...planned,
    ],
    unreadable: new Map([...unreadable].filter(([name]) => !isPlanned(name))),
  };
}

/** An undo that was cut off, or did not reach all machines, is ended first: a commit begins on all of them alike. */
async function evenOut(attempting: Attempting, nodes: StepNode[]) {
  const reach: Reach = { nodes, givenUp: [] };
  await undoCommit(attempting, reach);
  if (reach.givenUp.length) throw reach.givenUp[0].error;
}

/**
 * Takes a restore back that was left half-way before the point of no return.
 *
 * @throws ClusterBackupError `restore-none-unfinished`, `restore-past-return`, and those of every room
 * @public
 */
export async function undoRestore(options: {
  cluster: ClusterAccess;
  /** Where nothing else tells how the machines are reached. */
  archive?: ArchiveSource;
  progress?: Progress;
  boundary?: Boundary;
}): Promise<{ operation: string }> {
  return attemptOn(options, async (cluster, run) => {
    const { journals, unreached } = await readJournalsReached(cluster);
    // Whether one is unfinished where nobody can look is not known.
    if (!journals.some(journal => journal.current)) refuseUnreached(unreached);
    const { plan } = unfinished(journals);
    const attempting = attempt(cluster, plan, nextFence(journals), run);
    const reach = await reachedNodes(attempting);
    await onReached(reach, reach.nodes, node =>
      takeOver(node.machine, attempting.attempt),
    );
    await takeBack(attempting, reach);
    return { operation: plan.operation };
  });
}

async function takeOverAll(attempting: Attempting, nodes: StepNode[]) {
  await Promise.all(
    nodes.map(node => takeOver(node.machine, attempting.attempt)),
  );
}

/** A restore that is under way or was left half-way. @public */
export interface UnfinishedRestore {
  operation: string;
  plan: Plan;
  /** It is past the point of no return. */
  onlyForward: boolean;
  /** Whether resuming it takes the archive once more; undefined when not every machine tells. */
  needsArchive?: boolean;
}

/**
 * What the machines' journals say of a restore that is under way or was left half-way. One machine that tells of it is
 * enough; that there is none takes all of them.
 *
 * @param archive - tells how the machines are reached, where nothing else does
 * @public
 */
export async function findUnfinishedRestore(
  cluster: ClusterAccess,
  archive?: ArchiveSource,
): Promise<UnfinishedRestore | undefined> {
  return attemptOn({ cluster, archive }, async connected => {
    const { journals, unreached } = await readJournalsReached(connected);
    if (!journals.some(journal => journal.current)) {
      refuseUnreached(unreached);
      return undefined;
    }
    const { plan } = unfinished(journals);
    const isAllRead = plan.nodes.every(({ name }) => !unreached.has(name));
    return {
      operation: plan.operation,
      plan,
      onlyForward: journals.some(isPastReturn),
      needsArchive: isAllRead ? !preparedEverywhere(journals) : undefined,
    };
  });
}

interface Run {
  progress: Progress;
  signal: AbortSignal;
  boundary?: Boundary;
}

interface Prepared {
  attempting: Attempting;
  verified: VerifiedArchive;
  reservations: Finding[];
  /** What the archive has of the cluster that manages the restored one. */
  objects: KubernetesObject[];
}

async function attemptOn<T>(
  options: Partial<Run> & { cluster: ClusterAccess; archive?: ArchiveSource },
  act: (cluster: ConnectedCluster, run: Run) => Promise<T>,
): Promise<T> {
  const run: Run = {
    progress: options.progress ?? (() => {}),
    signal: options.signal ?? new AbortController().signal,
    boundary: options.boundary,
  };
  const { archive } = options;
  const cluster = await connectCluster(options.cluster, {
    ...run,
    lastResort:
      archive &&
      ((access, signal) => archivedMachines(access, archive, signal)),
  });
  try {
    return await act(cluster, run);
  } catch (error) {
    if (run.signal.aborted && !(error instanceof ClusterBackupError)) {
      throw cancelled(NOTHING_CHANGED);
    }
    throw error;
  } finally {
    await cluster.close();
  }
}

function attempt(
  cluster: ConnectedCluster,
  plan: Plan,
  fence: number,
  run: Run,
): Attempting {
  return {
    ...run,
    cluster,
    plan,
    attempt: { operation: plan.operation, fence },
  };
}

/** Zone 1: nothing that a running component reads is changed; whatever fails, all of it is removed again. */
async function prepare(
  cluster: ConnectedCluster,
  options: Pick<
    RestoreOptions,
    'archive' | 'withFiles' | 'leaveOut' | 'origin'
  > & { decision?: Decision },
  run: Run,
  earlier: { fence: number; plan?: Plan },
): Promise<Prepared> {
  let description: Description;
  let attempting: Attempting | undefined;
  let reservations: Finding[] = [];
  let trailer = '';
  let objects: KubernetesObject[] = [];
  const files = new ArchivedFiles();
  const decision = earlier.plan ? earlier.plan.decision : options.decision;
  try {
    const source = await options.archive.open(run.signal);
    const proof = await readArchive(
      source,
      {
        ...options.archive.key,
        sha256: options.archive.sha256,
        signal: run.signal,
      },
      {
        description: found => {
          description = found;
          if (earlier.plan) refuseOtherArchive(earlier.plan, description);
          else if (!decision?.what.includes('archive-expired')) {
            refuseExpired(description, options.archive.expireAfterDays);
          }
        },
        objects: list => {
          objects = objectsIn(list);
        },
        nodeFile: (node, header, content) => files.take(node, header, content),
        snapshot: async (size, stream) => {
          const read = await readNodes(cluster, run.signal);
          const target = earlier.plan
            ? await asPlanned({ cluster, plan: earlier.plan }, read)
            : await decideFiles(
                cluster,
                read,
                description,
                { files, withFiles: options.withFiles ?? false },
                run.signal,
              );
          const report = await checkCluster(cluster, {
            ...run,
            purpose: 'restore',
            read: target,
            snapshot: { size, etcdVersion: description.versions.etcd },
            archived: description.cluster,
          });
          const findings = overridden(report.findings, decision);
          refuseOn(findings);
          reservations = findings.filter(
            finding => finding.level === 'reservation',
          );
          const plan =
            earlier.plan ??
            (await planFor(cluster, report.nodes, run, {
              description,
              leftOut: options.leaveOut ?? [],
              rebuildsEvents: findings.some(
                ({ code }) => code === EVENTS_UNWELL,
              ),
              withoutBump: findings.some(
                ({ code }) => code === 'etcd-tool-cannot-bump',
              ),
              origin: options.origin,
              decision,
            }));
          attempting = attempt(cluster, plan, earlier.fence, run);
          const nodes = await nodesOf(attempting);
          if (!earlier.plan) await takeOverAll(attempting, nodes);
          await claimMachines(attempting, nodes);
          await stageFiles(attempting, nodes, files);
          trailer = await receiveSnapshot(attempting, nodes, size, stream);
        },
      },
    );
    refuseUntrusted(proof, options.archive);
    refuseOtherObjects(cluster.access, proof);
    run.progress({
      type: 'note',
      message: `The archive is whole, and signed by ${proof.signer}.`,
    });
    const nodes = await nodesOf(attempting!);
    const verified: VerifiedArchive = {
      archiveSha256: proof.ciphertext.sha256,
      revision: proof.facts.revision,
      bump: attempting!.plan.withoutBump
        ? 0
        : chooseBump(
            await lastRevision(attempting!, nodes),
            proof.facts.revision,
          ),
    };
    await buildMembers(attempting!, nodes, verified, trailer);
    return { attempting: attempting!, verified, reservations, objects };
  } catch (error) {
    if (attempting) throw await undoneBecause(attempting, error);
    throw restated(
      causeOf(error, run.signal),
      earlier.plan ? 'Nothing was changed by this attempt.' : NOTHING_CHANGED,
    );
  } finally {
    files.wipe();
  }
}

async function planFor(
  cluster: ConnectedCluster,
  nodes: ControlPlaneNode[],
  run: Run,
  given: Pick<
    Parameters<typeof makePlan>[0],
    | 'description'
    | 'leftOut'
    | 'rebuildsEvents'
    | 'withoutBump'
    | 'origin'
    | 'decision'
  >,
): Promise<Plan> {
  return makePlan({
    operation: operationName(new Date()),
    access: cluster.access,
    nodes,
    ...given,
    answered: await whoAnswers(nodes, run.signal),
  });
}

async function whoAnswers(
  nodes: ControlPlaneNode[],
  signal: AbortSignal,
): Promise<Answered> {
  const named = async (
    question: (node: ControlPlaneNode) => Promise<unknown>,
  ) =>
    (
      await Promise.all(
        nodes.map(node =>
          question(node).then(
            () => [node.machine.name],
            () => [],
          ),
        ),
      )
    ).flat();
  const [members, linearizable, apiServers] = await Promise.all([
    named(node => ask(node, signal, member => member.status())),
    named(node => ask(node, signal, member => member.linearizableRead())),
    named(node => askApi(node, 'own', signal, api => api.readyz())),
  ]);
  return { members, quorum: linearizable.length > 0, apiServers };
}

/** Zones 2 and 3. A failure in zone 2 puts every node back as it was; in zone 3 there is only forward. */
async function commit(
  { attempting, verified, reservations }: Omit<Prepared, 'objects'>,
  run: Run,
  dryRun: boolean,
): Promise<RestoreResult> {
  const { plan } = attempting;
  const result = (outageSeconds: number): RestoreResult => ({
    operation: plan.operation,
    plan,
    verified,
    reservations: [
      ...reservations,
      ...leftOutFindings(plan.leftOut),
      ...overriddenFindings(plan.decision),
    ],
    outageSeconds,
    kept: plan.nodes.map(node => ({
      machine: node.name,
      path: `${workspaceOf(plan, node.etcd)}/kept`,
    })),
  });
  if (dryRun) {
    await takeBack(attempting);
    return { ...result(0), kept: [] };
  }
  const outage = timeOutage(run.progress);
  let forward = false;
  try {
    await performCommit(
      { ...attempting, progress: outage.progress },
      verified,
      () => {
        forward = true;
      },
    );
    await finish(attempting);
  } catch (error) {
    throw forward ? onlyForward(error) : await undoneBecause(attempting, error);
  }
  return result(outage.seconds());
}

async function finish(attempting: Attempting): Promise<void> {
  const forward = { ...attempting, signal: new AbortController().signal };
  const nodes = await nodesOf(forward);
  await onAll(forward, nodes, 'finish', node =>
    sweepWorkspace(forward, node, 'finish'),
  );
  await Promise.all(nodes.map(node => releaseNode(forward, node)));
}

/** Undoes whatever was begun and leaves nothing behind; not cancellable, for the same reason as the commit's end. */
async function takeBack(
  attempting: Attempting,
  reached?: Reach,
): Promise<void> {
  const back = { ...attempting, signal: new AbortController().signal };
  const reach = reached ?? (await reachedNodes(back));
  const unwell = await undoCommit(back, reach);
  const claimed: StepNode[] = [];
  await onReached(reach, reach.nodes, async node => {
    const { operation } = back.plan;
    const { current } = await readJournal(node.machine, operation);
    if (current) claimed.push(node);
  });
  await onReached(reach, claimed, node =>
    onAll(back, [node], 'sweep', () => sweepWorkspace(back, node, 'sweep')),
  );
  // Released only after all that can be swept are: until then any of them tells that this is not over.
  const swept = claimed.filter(node => reach.nodes.includes(node));
  await onReached(reach, swept, node => releaseNode(back, node));

  const { nodes, givenUp } = reach;
  if (!givenUp.length && !unwell.length) return;
  throw new ClusterBackupError({
    code: 'undo-incomplete',
    message: [
      ...givenUp.map(
        ({ name, error }) =>
          `${name} was not put back as it was: ${error.message}`,
      ),
      ...unwell,
    ].join('\n'),
    state: `Data and manifests are as before on ${
      nodes.map(node => node.plan.name).join(', ') || 'no machine'
    }.`,
    remedy: givenUp.length
      ? `Bring ${givenUp
          .map(({ name }) => name)
          .join(', ')} back, then run undo.`
      : 'Look at the pods on the machines named (crictl ps -a, crictl logs).',
    details: { givenUp: givenUp.map(({ name }) => name), unwell },
  });
}

async function reachedNodes({ cluster, plan }: Attempting): Promise<Reach> {
  const nodes: StepNode[] = [];
  const givenUp: Reach['givenUp'] = [];
  await Promise.all(
    plan.nodes.map(async node => {
      try {
        const machine = await cluster.machine(node.name);
        nodes.push({ ...node, plan: node, machine });
      } catch (error) {
        if (!(error instanceof ClusterBackupError)) throw error;
        givenUp.push({ name: node.name, error });
      }
    }),
  );
  return { nodes, givenUp };
}

/** The error to tell after everything was taken back, or after that failed too. */
async function undoneBecause(
  attempting: Attempting,
  error: unknown,
): Promise<unknown> {
  const cause = causeOf(error, attempting.signal);
  // Whoever took over decides about the machines now.
  if (isTakenOver(cause)) return cause;
  try {
    await takeBack(attempting);
    return restated(cause, TAKEN_BACK);
  } catch (undoError) {
    const why = causeOf(undoError);
    if (isTakenOver(why)) return why;
    return restated(
      cause,
      `Taking the restore back did not succeed everywhere: ${why.message} ${why.state}`,
      `${cause.remedy} ${why.remedy}`,
    );
  }
}

function onlyForward(error: unknown) {
  const cause = causeOf(error);
  return restated(
    cause,
    'The restore may have passed the point of no return: the restored data is in place, the data of before is kept beside it.',
    `${cause.remedy} Then run resume.`,
  );
}

/**
 * What a failure is told as. Whatever came of being told to stop is no news; what nobody foresaw must not keep the
 * restore from being taken back.
 */
function causeOf(error: unknown, signal?: AbortSignal): ClusterBackupError {
  const isTyped = error instanceof ClusterBackupError;
  if (isTyped && isTakenOver(error)) return error;
  if (signal?.aborted) return cancelled(NOTHING_CHANGED);
  if (isTyped) return error;
  return new ClusterBackupError({
    code: 'not-foreseen',
    message: `Something failed that nobody foresaw: ${
      (error as Error)?.message ?? error
    }.`,
    state: NOTHING_CHANGED,
    remedy: 'Report it to those who make this program; it is their mistake.',
    cause: error,
  });
}

async function readJournals(cluster: ConnectedCluster): Promise<Journal[]> {
  return Promise.all(
    cluster.access.controlPlane.map(({ name }) => journalOn(cluster, name)),
  );
}

/** A machine that could not be reached a moment ago is not waited for again. */
async function journalOn(
  cluster: ConnectedCluster,
  name: string,
): Promise<Journal> {
  const outcome = cluster.outcomes.find(({ access }) => access.name === name);
  if (outcome?.error) throw outcome.error;
  return readJournal(await cluster.machine(name));
}

/** As many journals as can be read, and why others could not, by machine. */
async function readJournalsReached(cluster: ConnectedCluster) {
  const journals: Journal[] = [];
  const unreached = new Map<string, ClusterBackupError>();
  await Promise.all(
    cluster.access.controlPlane.map(async ({ name }) => {
      try {
        journals.push(await journalOn(cluster, name));
      } catch (error) {
        if (!(error instanceof ClusterBackupError)) throw error;
        unreached.set(name, error);
      }
    }),
  );
  return { journals, unreached };
}

/** The restore that was left half-way; every machine that it is of must tell. */
async function readUnfinished(cluster: ConnectedCluster) {
  const { journals, unreached } = await readJournalsReached(cluster);
  const leftOut =
    journals.find(journal => journal.current)?.current?.plan.leftOut ?? [];
  refuseUnreached(unreached, leftOut);
  return { plan: unfinished(journals).plan, journals };
}

function refuseUnreached(
  unreached: Map<string, ClusterBackupError>,
  leftOut: readonly string[] = [],
) {
  for (const [name, error] of unreached) {
    if (!leftOut.includes(name)) throw error;
  }
}

function nextFence(journals: Journal[]): number {
  return 1 + Math.max(...journals.map(journal => journal.fence));
}

function refuseUnfinished(journals: Journal[]) {
  const current = journals.find(journal => journal.current)?.current;
  if (!current) return;
  throw new ClusterBackupError({
    code: 'restore-unfinished',
    message: `The restore ${current.operation} is under way or was left half-way.`,
    state: 'Nothing was changed by this attempt.',
    remedy: 'Finish it with resume, or take it back with undo, first.',
    details: { operation: current.operation },
  });
}

function unfinished(journals: Journal[]) {
  const current = journals.find(journal => journal.current)?.current;
  if (current) return current;
  throw new ClusterBackupError({
    code: 'restore-none-unfinished',
    message: 'No restore is under way or was left half-way on these machines.',
    state: NOTHING_CHANGED,
    remedy: 'Nothing is to be done.',
  });
}

/**
 * The verified archive, when every node holds its finished member of it. Past the point of no return every node
 * did; one that was already released has nothing more to tell.
 */
function preparedEverywhere(journals: Journal[]): VerifiedArchive | undefined {
  const past = journals.find(isPastReturn);
  if (past) return past.current!.verified;
  const [first, ...others] = journals.map(journal => journal.current?.verified);
  const same = others.every(other => isDeepStrictEqual(other, first));
  return same ? first : undefined;
}

export function refuseUntrusted(proof: ArchiveProof, archive: ArchiveSource) {
  if (archive.trustedSigners.includes(proof.signer)) return;
  if (archive.digestConfirmed && archive.sha256) return;
  throw new ClusterBackupError({
    code: 'archive-signer-unknown',
    message: `The archive is signed by ${proof.signer}, which is not a trusted signer.`,
    state: NOTHING_CHANGED,
    remedy: `If you know that this fingerprint is yours, name it: --signer ${proof.signer}.`,
    details: { signer: proof.signer, trusted: archive.trustedSigners },
  });
}

function timeOutage(progress: Progress) {
  let stopped = 0;
  let back = 0;
  return {
    seconds: () => (stopped && back ? (back - stopped) / 1000 : 0),
    progress: ((event: Parameters<Progress>[0]) => {
      if (event.type === 'step') {
        if (event.step === 'park-control-plane' && event.status === 'started') {
          stopped = Date.now();
        }
        if (event.step === 'return-api-servers' && event.status === 'done') {
          back = Date.now();
        }
      }
      progress(event);
    }) as Progress,
  };
}
