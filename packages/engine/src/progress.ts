/**
 * What a running operation tells while it runs.
 *
 * @public
 */
export type ProgressEvent =
  | { type: 'step'; step: string; title: string; status: 'started' | 'done' }
  | {
      type: 'bytes';
      step: string;
      /** Bytes so far. */
      done: number;
      /** Bytes in all, where known. */
      total?: number;
      /** Bytes per second, over the last seconds. */
      rate: number;
    }
  | { type: 'note'; step?: string; machine?: string; message: string };

/**
 * Takes progress events; must not throw and must not block.
 *
 * @public
 */
export type Progress = (event: ProgressEvent) => void;
