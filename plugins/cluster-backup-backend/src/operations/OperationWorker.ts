import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoggerService } from '@backstage/backend-plugin-api';
import { Operation } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { NOTHING_CHANGED } from '@cluster-backup/engine';
import {
  Claim,
  Ending,
  Lease,
  LeaseLostError,
  OperationStore,
} from '../database/OperationStore';
import { endedByJournals, endedElsewhere, endingOf } from './endingOf';
import { foreseen, notForeseen, stateAfter } from './fault';
import { Job, wipe } from './Job';
import { OperationLog } from './OperationLog';
import { recordOf } from './recordOf';
import { RunningEngine, startEngine } from './startEngine';

const POLL_MS = 1000;
const RENEW_MS = 10_000;
/** Below the lease's 30 s: who cannot renew it stops before anybody else begins. */
const GIVE_UP_MS = 25_000;
const BACK_OFF_MS = { first: 1000, most: 30_000 };
/** Of what is queued. Restores do not wait. */
const AT_ONCE = 4;
const LOOK_AGAIN_MS = 60_000;

interface Run {
  lease: Lease;
  engine?: RunningEngine;
  isQueued: boolean;
  /** It is somebody else's, or given back: nothing that comes of it is written. */
  isAbandoned: boolean;
  ended: Promise<void>;
}

/** Runs operations in this replica: what it claims from the queue, and the restores that were started here. */
export class OperationWorker {
  readonly id = randomUUID();
  private readonly store: OperationStore;
  private readonly jobOf: (claim: Claim) => Promise<Job>;
  private readonly lookAt: (operation: Operation) => Promise<Job>;
  private readonly logger: LoggerService;
  private readonly startEngine: typeof startEngine;
  private readonly runs = new Map<string, Run>();
  private readonly lookedAt = new Map<string, number>();
  private readonly stopping = new AbortController();
  private wakeUp: () => void = () => {};
  private polling: Promise<void> = Promise.resolve();

  constructor(options: {
    store: OperationStore;
    /** What is to be done for an operation of the queue. */
    jobOf: (claim: Claim) => Promise<Job>;
    /** How the machines of an interrupted restore are asked where it stands. */
    lookAt: (operation: Operation) => Promise<Job>;
    logger: LoggerService;
    /** What does the jobs; by default a process of its own for each. */
    engine?: typeof startEngine;
  }) {
    this.store = options.store;
    this.jobOf = options.jobOf;
    this.lookAt = options.lookAt;
    this.logger = options.logger;
    this.startEngine = options.engine ?? startEngine;
  }

  start() {
    this.polling = this.poll();
  }

  /** Something was queued or asked for: no need to wait for the next look. */
  wake() {
    this.wakeUp();
  }

  get isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  /** Runs an operation that this replica holds the lease of. */
  run(claim: Claim, jobOf: () => Promise<Job>) {
    const run: Run = {
      lease: claim.lease,
      isQueued: claim.operation.kind !== 'restore',
      isAbandoned: false,
      ended: Promise.resolve(),
    };
    this.runs.set(claim.lease.id, run);
    run.ended = this.perform(run, jobOf)
      .catch(error => this.warn(run.lease, 'failed as nobody foresaw', error))
      .finally(() => {
        this.runs.delete(claim.lease.id);
        this.wake();
      });
  }

  /** Ends every engine, which is safe at any moment, and gives the operations back. */
  async stop() {
    this.stopping.abort();
    this.wake();
    await this.polling;
    await Promise.all(
      [...this.runs.values()].map(async run => {
        run.isAbandoned = true;
        await run.engine?.kill();
        await run.ended;
        await this.store
          .giveBack(run.lease, 'The portal was stopped.')
          .catch(error => this.warn(run.lease, 'was not given back', error));
      }),
    );
  }

  private async poll() {
    let backOff = 0;
    while (!this.isStopping) {
      try {
        await this.round();
        backOff = 0;
      } catch (error) {
        backOff = Math.min(
          BACK_OFF_MS.most,
          Math.max(BACK_OFF_MS.first, backOff * 2),
        );
        this.logger.error('Operations could not be looked up', error as Error);
      }
      await this.pause(backOff || POLL_MS);
    }
  }

  private async pause(milliseconds: number) {
    const woken = new AbortController();
    this.wakeUp = () => woken.abort();
    if (this.isStopping) return;
    await sleep(milliseconds, undefined, { signal: woken.signal }).catch(
      () => {},
    );
  }

  private async round() {
    for (const id of await this.store.cancelRequested(this.id)) {
      this.runs.get(id)?.engine?.cancel();
    }
    const expired = await this.store.giveBackExpired(
      'The portal that ran it went away.',
    );
    for (const { id, kind } of expired) {
      this.logger.warn('An operation was left by its portal', {
        operation: id,
        kind,
      });
    }
    await this.lookAtInterrupted();
    while (!this.isStopping && this.queuedRuns() < AT_ONCE) {
      const claim = await this.store.claim(this.id);
      if (!claim) break;
      this.run(claim, () => this.jobOf(claim));
    }
  }

  private queuedRuns(): number {
    return [...this.runs.values()].filter(({ isQueued }) => isQueued).length;
  }

  private async perform(run: Run, jobOf: () => Promise<Job>) {
    const { lease } = run;
    const log = new OperationLog(this.store, lease, this.logger);
    const lost = new AbortController();
    const renewing = this.keepLease(run, lost.signal);
    try {
      const ending = await this.endOf(run, jobOf, log);
      await log.close();
      if (ending && !run.isAbandoned) await this.end(run, ending);
    } finally {
      lost.abort();
      await renewing;
    }
  }

  private async endOf(
    run: Run,
    jobOf: () => Promise<Job>,
    log: OperationLog,
  ): Promise<Ending | undefined> {
    const { lease } = run;
    let job: Job;
    try {
      job = await jobOf();
    } catch (error) {
      const fault = foreseen(error);
      if (!fault) this.warn(lease, 'could not be begun', error);
      const told = fault ?? notForeseen(NOTHING_CHANGED);
      return {
        status: 'failed',
        message: `Failed: ${told.message}`,
        fault: told,
      };
    }
    if (run.isAbandoned) {
      wipe(job);
      return undefined;
    }
    run.engine = this.startEngine(job, {
      progress: event => log.tell(event),
      made: ({ key, summary, copies }) =>
        this.store
          .recordSafetyBackup(lease.id, recordOf(key, summary), copies)
          // It is found in the stores, and recorded then.
          .catch(error => this.warn(lease, 'made a backup unheard', error)),
      defect: stack => this.warn(lease, 'failed as nobody foresaw', stack),
    });
    try {
      return endingOf(job, await run.engine.outcome);
    } catch (error) {
      if (run.isAbandoned) return undefined;
      this.warn(lease, 'lost its process', error);
      const fault = notForeseen(stateAfter(job));
      return endingOf(job, { type: 'failed', fault, unfinished: 'unknown' });
    }
  }

  /** Until it is written, or somebody else has it. */
  private async end(run: Run, ending: Ending) {
    while (!run.isAbandoned) {
      try {
        await this.store.end(run.lease, ending);
        return;
      } catch (error) {
        if ((error as Error).name === LeaseLostError.name) {
          this.warn(run.lease, 'ended too late', error);
          return;
        }
        this.warn(run.lease, 'could not be ended yet', error);
        await sleep(BACK_OFF_MS.first);
      }
    }
  }

  private async keepLease(run: Run, over: AbortSignal) {
    let renewedAt = performance.now();
    let wait = RENEW_MS;
    for (;;) {
      await sleep(wait, undefined, { signal: over }).catch(() => {});
      if (over.aborted || run.isAbandoned) return;
      const asked = performance.now();
      try {
        await this.store.renew(run.lease);
        renewedAt = asked;
        wait = RENEW_MS;
      } catch (error) {
        const isLost = (error as Error).name === LeaseLostError.name;
        if (isLost || performance.now() - renewedAt > GIVE_UP_MS) {
          this.warn(run.lease, 'is not ours any more', error);
          run.isAbandoned = true;
          await run.engine?.kill();
          return;
        }
        wait = BACK_OFF_MS.first;
      }
    }
  }

  /** Not waited for: machines that are gone take long to say so. */
  private async lookAtInterrupted() {
    const operations = await this.store.interrupted();
    for (const operation of operations) {
      const before = this.lookedAt.get(operation.id) ?? -Infinity;
      if (performance.now() - before < LOOK_AGAIN_MS) continue;
      this.lookedAt.set(operation.id, performance.now());
      this.settle(operation).catch(error =>
        this.logger.warn('An interrupted restore was not looked at', {
          operation: operation.id,
          cause: String(error),
        }),
      );
    }
  }

  private async settle(operation: Operation) {
    const engine = this.startEngine(await this.lookAt(operation), {
      progress: () => {},
      defect: stack => this.logger.warn(stack),
    });
    const stop = () => engine.kill();
    this.stopping.signal.addEventListener('abort', stop);
    try {
      const outcome = await engine.outcome;
      if (outcome.type !== 'looked') return;
      const { unfinished, ended } = outcome;
      if (ended) {
        await this.store.settleDoubt(operation, endedByJournals(ended));
        return;
      }
      if (unfinished === 'unknown') return;
      const isPastReturn =
        operation.onlyForward ||
        (await this.store.wasStepDone(operation.id, 'point-of-no-return'));
      await this.store.settleDoubt(
        operation,
        unfinished === 'none' ? endedElsewhere(isPastReturn) : unfinished,
      );
    } finally {
      this.stopping.signal.removeEventListener('abort', stop);
    }
  }

  private warn({ id, attempt }: Lease, what: string, cause: unknown) {
    this.logger.warn(`An operation ${what}`, {
      operation: id,
      attempt,
      cause: cause instanceof Error ? cause.stack ?? cause.message : `${cause}`,
    });
  }
}
