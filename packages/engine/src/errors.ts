/**
 * What went wrong, in the four parts that the person reading it needs: what happened and where (`message`),
 * what state things are in now (`state`), what to do (`remedy`), and the facts behind it (`details`).
 *
 * @public
 */
export class ClusterBackupError extends Error {
  /** Stable and kebab-case, for programs; `host-key-changed`. */
  readonly code: string;
  /** What is true now: what was changed, what was not, what still runs. */
  readonly state: string;
  /** What the reader should do next. */
  readonly remedy: string;
  /** Machine, member, path, sizes. Never a secret. */
  readonly details: Record<string, unknown>;

  constructor(options: {
    code: string;
    message: string;
    state: string;
    remedy: string;
    details?: Record<string, unknown>;
    cause?: unknown;
  }) {
    super(options.message, { cause: options.cause });
    this.name = 'ClusterBackupError';
    this.code = options.code;
    this.state = options.state;
    this.remedy = options.remedy;
    this.details = options.details ?? {};
  }

  /** What a person may see of it. */
  toJSON() {
    const { code, message, state, remedy, details } = this;
    return { code, message, state, remedy, details };
  }
}

/**
 * The sentence that is true of every failure before the commit of a restore and of every backup.
 *
 * @public
 */
export const NOTHING_CHANGED = 'Nothing on the cluster was changed.';

/** The same error, of which other things are true by now. */
export function restated(
  error: ClusterBackupError,
  state: string,
  remedy: string = error.remedy,
): ClusterBackupError {
  const { code, message, details } = error;
  return new ClusterBackupError({
    code,
    message,
    state,
    remedy,
    details,
    cause: error,
  });
}
