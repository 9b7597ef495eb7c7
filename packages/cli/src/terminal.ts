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

/** Progress as lines on standard error, each with the seconds since the start. */
export function tell(): Progress {
  const start = Date.now();
  const line = (text: string) => {
    const seconds = ((Date.now() - start) / 1000).toFixed(1).padStart(6);
    process.stderr.write(`${seconds}  ${text}\n`);
  };
  let toldAt = 0;
  return event => {
    if (event.type === 'step') {
      if (event.status === 'started') line(event.title);
    } else if (event.type === 'note') {
      line(`  note: ${event.message}`);
    } else if (Date.now() - toldAt > 2000) {
      toldAt = Date.now();
      const of = event.total ? ` of ${mib(event.total)}` : '';
      line(`  ${mib(event.done)}${of}, ${mib(event.rate)}/s`);
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

/** Runs a command; what it returns is printed as it is or as one JSON object, what it throws in words. */
export async function conclude(
  act: (signal: AbortSignal) => Promise<object | string>,
): Promise<void> {
  const stop = new AbortController();
  const interrupt = () => {
    process.stderr.write(
      'Stopping: what was begun is taken back. Past its point of no return a restore goes on.\n',
    );
    stop.abort();
  };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    const result = await act(stop.signal);
    process.stdout.write(
      typeof result === 'string' ? result : `${JSON.stringify(result)}\n`,
    );
  } catch (error) {
    process.exitCode = tellError(error);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

function tellError(error: unknown): number {
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
  process.stdout.write(`${JSON.stringify({ error })}\n`);
  return error.code === 'cancelled' ? CANCELLED : REFUSED;
}
