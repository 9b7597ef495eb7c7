import {
  ClusterBackupError,
  Copy,
  Finding,
  Progress,
} from '@cluster-backup/engine';

/** 69 of sysexits.h: something that was needed was not there; everything typed ends in it. */
export const REFUSED = 69;
const CANCELLED = 130;
/** 75 of sysexits.h: it may work later. */
const COPY_MISSING = 75;
/** Ours: neither refused nor cancelled, which should not be. */
const DEFECT = 70;

export const mib = (bytes: number) => `${(bytes / (1 << 20)).toFixed(1)} MiB`;

/**
 * Progress on standard error, each line with the seconds since the start. In a terminal what flows is told in one line
 * that is written over; elsewhere in a line now and then.
 */
export function tell(): Progress {
  const start = Date.now();
  const { isTTY } = process.stderr;
  const every = isTTY ? 200 : 2000;
  let toldAt = 0;
  let isOpen = false;
  const line = (text: string, end: string) => {
    const seconds = ((Date.now() - start) / 1000).toFixed(1).padStart(6);
    const begin = isOpen ? '\r\u001b[K' : '';
    process.stderr.write(`${begin}${seconds}  ${text}${end}`);
    isOpen = end === '';
  };
  return event => {
    if (event.type === 'step') {
      if (event.status === 'started') line(event.title, '\n');
    } else if (event.type === 'note') {
      line(`  note: ${event.message}`, '\n');
    } else if (Date.now() - toldAt > every) {
      toldAt = Date.now();
      const of = event.total ? ` of ${mib(event.total)}` : '';
      const far = `  ${mib(event.done)}${of}, ${mib(event.rate)}/s`;
      line(far, isTTY ? '' : '\n');
    }
  };
}

export function tellFindings(findings: Finding[]): void {
  for (const finding of findings) {
    const where = finding.machine ? `${finding.machine}: ` : '';
    process.stderr.write(`${finding.level}: ${where}${finding.message}\n`);
    if (finding.remedy) process.stderr.write(`  ${finding.remedy}\n`);
  }
}

/** A backup that a store lacks is one all the same; the exit code tells. */
export function tellCopies(copies: Copy[]): void {
  for (const { store, problem } of copies) {
    if (!problem) continue;
    process.exitCode = COPY_MISSING;
    process.stderr.write(
      `no copy in ${store}: ${problem.message}\n  ${problem.remedy}\n`,
    );
  }
}

/** What a command has to say when it is over. */
export interface Told {
  /** For people. */
  words: string;
  /** For programs. */
  facts: object;
}

export interface OutputOptions {
  output?: 'text' | 'json';
}

/** Runs a command and prints what it has to say: in words, or with `--output json` as one JSON object. */
export async function conclude(
  options: OutputOptions,
  act: (signal: AbortSignal) => Promise<Told>,
): Promise<void> {
  const isForPrograms = options.output === 'json';
  const stop = new AbortController();
  const interrupt = () => {
    process.stderr.write(
      '\nStopping: what was begun is taken back. Past its point of no return a restore goes on.\n',
    );
    stop.abort();
  };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    const { words, facts } = await act(stop.signal);
    process.stdout.write(isForPrograms ? `${JSON.stringify(facts)}\n` : words);
  } catch (error) {
    process.exitCode = tellError(error, isForPrograms);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

function tellError(error: unknown, isForPrograms: boolean): number {
  if (!(error instanceof ClusterBackupError)) {
    process.stderr.write(
      `${
        (error as Error)?.stack ?? error
      }\nThis is a defect of cluster-backup.\n`,
    );
    return DEFECT;
  }
  process.stderr.write(
    `${error.message}\n\nNow: ${error.state}\nWhat to do: ${error.remedy}\n(${error.code})\n`,
  );
  if (isForPrograms) process.stdout.write(`${JSON.stringify({ error })}\n`);
  return error.code === 'cancelled' ? CANCELLED : REFUSED;
}
