import { ClusterBackupError } from '../errors';
import { Machine } from '../machine';
import { Plan, VerifiedArchive } from './plan';

/**
 * Where a machine keeps what is being done to it. The journals on the machines are the truth about a restore; a
 * portal's row, or a terminal's memory, is a copy.
 */
export const JOURNAL_DIRECTORY = '/var/lib/cluster-backup';

/** One thing that happened on one machine. @public */
export interface JournalEntry {
  step: string;
  state: 'begun' | 'done' | 'undone';
  /** Number of the attempt that wrote it. */
  fence: number;
  at: string;
}

/** What a machine's journal says. @public */
export interface Journal {
  /** The highest attempt that ever touched this machine; lower ones may not any more. */
  fence: number;
  /** The operation that is under way or was left half-way. */
  current?: {
    operation: string;
    plan: Plan;
    verified?: VerifiedArchive;
    entries: JournalEntry[];
  };
}

/** The attempt that asks, which the machine obeys unless it has seen a higher one. @public */
export interface Attempt {
  operation: string;
  fence: number;
}

const LOCKED = 73;
const FENCED = 74;
const OCCUPIED = 75;

// Runs on the machine, under its lock. $1 fence, $2 operation, $3 step, $4 the time, $5 the input's size in bytes;
// the rest is the body's. Input is read before the lock is taken, so that a caller that stalls locks nobody out, and
// counted, because a caller that dies ends it early.
const ENTER = `set -eu
umask 077
LC_ALL=C
export LC_ALL
journal=${JOURNAL_DIRECTORY}
fence=$1 operation=$2 step=$3 at=$4 size=$5
shift 5
input=
if [ "$size" -gt 0 ]; then
  input=$(cat; echo .)
  input=\${input%.}
  if [ "\${#input}" != "$size" ]; then echo "The input was cut short." >&2; exit 1; fi
fi
mkdir -p "$journal"
exec 9>>"$journal/lock"
flock -w 20 9 || exit ${LOCKED}
seen=$(cat "$journal/fence" 2>/dev/null || echo 0)
write() { # file, durable or not there
  cat > "$1.new"
  sync "$1.new"
  mv -f "$1.new" "$1"
  sync "$(dirname "$1")"
}
`;

const TAKE_OVER = `if [ "$seen" -ge "$fence" ]; then echo "$seen"; exit ${FENCED}; fi
echo "$fence" | write "$journal/fence"
`;

const OBEY = `if [ "$seen" -gt "$fence" ]; then echo "$seen"; exit ${FENCED}; fi
current=$(cat "$journal/current" 2>/dev/null || true)
if [ -n "$current" ] && [ "$current" != "$operation" ]; then echo "$current"; exit ${OCCUPIED}; fi
if [ "$seen" != "$fence" ]; then echo "$fence" | write "$journal/fence"; fi
here=$journal/$operation
note() { # a line that a kill tore is ended first, so that it spoils no other
  mkdir -p "$here" # of an operation that ended long ago it was removed
  if [ -s "$here/journal" ] && [ -n "$(tail -c 1 "$here/journal")" ]; then echo >> "$here/journal"; fi
  printf '{"step":"%s","state":"%s","fence":%s,"at":"%s"}\\n' "$step" "$1" "$fence" "$at" >> "$here/journal"
  sync "$here/journal"
}
`;

const CLAIM = `mkdir -p "$here"
printf %s "$input" | write "$here/plan.json"
printf %s "$operation" | write "$journal/current"
note begun
`;

const RELEASE = `note done
rm -f "$journal/current"
sync "$journal"
find "$journal" -mindepth 1 -maxdepth 1 -type d -mtime +30 -exec rm -rf {} +
`;

/**
 * Makes an attempt the highest on a machine: from then on neither an earlier one nor another of the same number
 * changes it, and what its journal says stays true until this attempt changes it.
 *
 * @throws ClusterBackupError `machine-fenced`, `machine-locked` and what `machine.run` throws
 * @public
 */
export async function takeOver(
  machine: Machine,
  attempt: Attempt,
): Promise<void> {
  await underLock(machine, attempt, 'take-over', TAKE_OVER);
}

/**
 * Changes something on a machine: under the machine's lock, and only if no later attempt has been there. That it
 * begins is in the journal before anything changes.
 *
 * @param body - a POSIX shell script with `set -eu`, which finds `options.input` in `$input`; it must be safe to run
 *   again after it was cut off anywhere
 * @throws ClusterBackupError `machine-fenced`, `machine-occupied`, `machine-locked` and what `machine.run` throws
 * @public
 */
export async function change(
  machine: Machine,
  attempt: Attempt,
  step: string,
  body: string,
  args: string[] = [],
  options: { input?: string; timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<string> {
  return underLock(
    machine,
    attempt,
    step,
    `${OBEY}note begun\n${body}`,
    args,
    options,
  );
}

/** Writes into the machine's journal that a step is done, or undone, there. @public */
export async function note(
  machine: Machine,
  attempt: Attempt,
  step: string,
  state: 'done' | 'undone',
): Promise<void> {
  await underLock(machine, attempt, step, `${OBEY}note ${state}\n`);
}

/** Takes the machine for an operation and leaves the plan on it. @public */
export async function claim(
  machine: Machine,
  attempt: Attempt,
  plan: Plan,
  signal?: AbortSignal,
): Promise<void> {
  await underLock(machine, attempt, 'claim', OBEY + CLAIM, [], {
    input: `${JSON.stringify(plan)}\n`,
    signal,
  });
}

/** Ends the operation on the machine; its journal stays for a month. @public */
export async function release(
  machine: Machine,
  attempt: Attempt,
): Promise<void> {
  await underLock(machine, attempt, 'release', OBEY + RELEASE);
}

/**
 * Reads a machine's journal; changes nothing.
 *
 * @param wanted - the operation that it is read for: another one's is not `current` then
 * @public
 */
export async function readJournal(
  machine: Machine,
  wanted?: string,
): Promise<Journal> {
  const separator = '\u0001';
  const { stdout } = await machine.run([
    'sh',
    '-c',
    `cd ${JOURNAL_DIRECTORY} 2>/dev/null || exit 0
cat fence 2>/dev/null || echo 0
printf '\\001'
operation=$(cat current 2>/dev/null || true)
[ -n "$operation" ] || exit 0
printf '%s\\001' "$operation"
cat "$operation/plan.json"
printf '\\001'
cat "$operation/verified.json" 2>/dev/null || true
printf '\\001'
cat "$operation/journal" 2>/dev/null || true`,
  ]);
  const [fence, operation, plan, verified, entries] = stdout.split(separator);
  const journal: Journal = { fence: Number(fence || 0) };
  if (operation && operation === (wanted ?? operation)) {
    journal.current = {
      operation,
      plan: JSON.parse(plan),
      verified: verified.trim() ? JSON.parse(verified) : undefined,
      entries: parseEntries(entries),
    };
  }
  return journal;
}

/** The entries of a journal; a line that a kill tore in two is none. */
export function parseEntries(text: string): JournalEntry[] {
  return text.split('\n').flatMap(line => {
    try {
      const entry = JSON.parse(line);
      return typeof entry?.step === 'string' ? [entry as JournalEntry] : [];
    } catch {
      return [];
    }
  });
}

/** The last thing that a journal says of a step. @public */
export function stateOf(
  journal: Journal,
  step: string,
): JournalEntry['state'] | 'untouched' {
  const last = journal.current?.entries.filter(e => e.step === step).at(-1);
  return last?.state ?? 'untouched';
}

async function underLock(
  machine: Machine,
  attempt: Attempt,
  step: string,
  body: string,
  args: string[] = [],
  options: { input?: string; timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<string> {
  const result = await machine.run(
    [
      'sh',
      '-c',
      ENTER + body,
      'cluster-backup',
      String(attempt.fence),
      attempt.operation,
      step,
      new Date().toISOString(),
      String(Buffer.byteLength(options.input ?? '')),
      ...args,
    ],
    { ...options, accept: [0, LOCKED, FENCED, OCCUPIED] },
  );
  const details = {
    machine: machine.name,
    step,
    fence: attempt.fence,
    operation: attempt.operation,
  };
  if (result.code === FENCED) {
    throw fenced(machine.name, result.stdout.trim(), attempt);
  }
  if (result.code === OCCUPIED) {
    throw new ClusterBackupError({
      code: 'machine-occupied',
      message: `Another restore (${result.stdout.trim()}) is under way or was left half-way on ${
        machine.name
      }.`,
      state: `${machine.name} was not changed.`,
      remedy: 'Finish it with resume, or take it back with undo, first.',
      details: { ...details, occupiedBy: result.stdout.trim() },
    });
  }
  if (result.code === LOCKED) {
    throw new ClusterBackupError({
      code: 'machine-locked',
      message: `Another command of a restore is still running on ${machine.name} and did not end within 20 seconds.`,
      state: `${machine.name} was not changed by this attempt.`,
      remedy: 'Wait a minute and resume.',
      details,
    });
  }
  return result.stdout;
}

/** The error for an attempt that is not the highest any more. */
export function fenced(
  machine: string,
  seen: number | string,
  { operation, fence }: Attempt,
): ClusterBackupError {
  return new ClusterBackupError({
    code: 'machine-fenced',
    message: `Another attempt (number ${seen}) has taken over ${machine}; this one (number ${fence}) may not change it any more.`,
    state: `${machine} is as that attempt left it.`,
    remedy: 'Leave the restore to the attempt that took over.',
    details: { machine, operation, fence, seen: Number(seen) },
  });
}
