import { setTimeout as sleep } from 'node:timers/promises';
import { LoggerService } from '@backstage/backend-plugin-api';
import { ProgressEvent } from '@cluster-backup/engine';
import {
  Lease,
  LeaseLostError,
  NewEvent,
  OperationStore,
  Standing,
} from '../database/OperationStore';

const BYTES_EVERY_MS = 500;
const TRY_AGAIN_MS = 1000;

/** Writes down what a running operation tells: one write at a time, and what came meanwhile with the next. */
export class OperationLog {
  private readonly store: OperationStore;
  private readonly lease: Lease;
  private readonly logger: LoggerService;
  private readonly standing: Standing = {};
  private events: NewEvent[] = [];
  private isDue = false;
  private wroteAt = -Infinity;
  private writing: Promise<void> = Promise.resolve();
  private isClosed = false;

  constructor(store: OperationStore, lease: Lease, logger: LoggerService) {
    this.store = store;
    this.lease = lease;
    this.logger = logger;
  }

  tell(event: ProgressEvent) {
    if (event.type === 'bytes') {
      const { done, total, rate } = event;
      this.standing.bytes = { done, total, rate: Math.round(rate) };
      if (performance.now() - this.wroteAt < BYTES_EVERY_MS) return;
    } else {
      if (event.type === 'step') {
        this.standing.bytes = undefined;
        if (event.status === 'started') {
          this.standing.step = { name: event.step, title: event.title };
        }
      }
      this.events.push(eventOf(event, this.standing));
    }
    if (this.isDue || this.isClosed) return;
    this.isDue = true;
    this.writing = this.writing.then(() => this.write());
  }

  /** Resolves when everything told is written, or cannot be. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.writing;
  }

  private async write(): Promise<void> {
    this.isDue = false;
    const { events } = this;
    this.events = [];
    this.wroteAt = performance.now();
    for (;;) {
      try {
        await this.store.tell(this.lease, this.standing, events);
        return;
      } catch (error) {
        if ((error as Error).name === LeaseLostError.name) return;
        this.logger.warn('The progress of an operation was not written', {
          operation: this.lease.id,
          cause: String(error),
        });
        if (this.isClosed) return;
        await sleep(TRY_AGAIN_MS);
      }
    }
  }
}

function eventOf(
  event: Exclude<ProgressEvent, { type: 'bytes' }>,
  standing: Standing,
): NewEvent {
  if (event.type === 'note') {
    const { type, step, machine, message } = event;
    return { type, step, machine, message };
  }
  const { step, title, status } = event;
  return {
    type: status === 'started' ? 'step-started' : 'step-done',
    step,
    message: title || standing.step?.title || step,
  };
}
