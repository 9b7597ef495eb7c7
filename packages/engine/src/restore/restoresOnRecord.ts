import {
  integer,
  list,
  object,
  oneOf,
  optional,
  parseJson,
  ShapeProblem,
  text,
} from '../archive/jsonShape';
import { cancelled, ClusterAccess, connectCluster } from '../cluster';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { Machine } from '../machine';
import { Decision } from './decision';
import { JournalEntry, JOURNAL_DIRECTORY, parseEntries } from './journal';
import { begunAt } from './keptData';
import { RestoreOrigin } from './plan';
import { Step } from './Step';
import { parkControlPlane } from './steps/parkControlPlane';
import { passPointOfNoReturn } from './steps/passPointOfNoReturn';

/** A restore as the machines remember it: for a month after its end. @public */
export interface RestoreOnRecord {
  operation: string;
  /** `taken-back`: the control plane was stopped, and everything is as it was before. */
  outcome: 'restored' | 'taken-back' | 'unfinished';
  /** ISO 8601, UTC, by the clock of whoever ran it. */
  begunAt: string;
  /** Absent where it is unfinished. */
  endedAt?: string;
  /** When the last line about it was written. */
  lastAt?: string;
  /** Of the archive's file, hex; absent where its proof was not finished. */
  archiveSha256?: string;
  /** Who wanted it, where that was told. */
  origin?: RestoreOrigin;
  decision?: Decision;
}

/** What was found on the machines. @public */
export interface RestoresReport {
  /** Newest first. */
  restores: RestoreOnRecord[];
  /** Control-plane machines that could not be looked at, and why. */
  unread: Array<{ machine: string; message: string }>;
}

/** What one machine has of one restore. */
export interface RecordOnMachine {
  operation: string;
  isCurrent: boolean;
  archiveSha256?: string;
  origin?: RestoreOrigin;
  decision?: Decision;
  entries: JournalEntry[];
}

/** More than a cluster is restored in a month. */
const MOST = 20;
const MAX_PLAN = 512 << 10;
const MAX_VERIFIED = 4 << 10;
const MAX_JOURNAL = 128 << 10;

// Newest first, as their names sort; \001 is in no JSON.
const READ = `cd "$1" 2>/dev/null || exit 0
current=$(head -c 200 current 2>/dev/null || true)
ls -d restore-* 2>/dev/null | sort -r | head -n ${MOST} | while read -r name; do
  printf '%s\\001%s\\001' "$name" "$current"
  head -c ${MAX_PLAN} "$name/plan.json" 2>/dev/null
  printf '\\001'
  head -c ${MAX_VERIFIED} "$name/verified.json" 2>/dev/null
  printf '\\001'
  head -c ${MAX_JOURNAL} "$name/journal" 2>/dev/null
  printf '\\002'
done`;

/** As long as a portal's own. */
const MAX_NAME = 36;
const identifier = text({
  max: MAX_NAME,
  pattern: /^[\w-]+$/,
  what: 'name of an operation',
});
const somebody = text({
  max: 255,
  pattern: /^[^\p{Cc}]+$/u,
  what: 'name of anybody',
});

const planShape = object({
  planVersion: oneOf(1),
  origin: optional(object({ id: optional(identifier), by: somebody })),
  decision: optional(
    object({
      what: list(text(), { max: 200 }),
      reason: object({
        text: text({ max: 4096 }),
        by: somebody,
        approvedBy: optional(somebody),
      }),
    }),
  ),
});
const verifiedShape = object({
  archiveSha256: text({ pattern: /^[0-9a-f]{64}$/, what: 'SHA-256 in hex' }),
  revision: integer(0, Number.MAX_SAFE_INTEGER),
});

/**
 * What the control-plane machines remember of restores, whoever did them. Those that changed nothing beyond their own
 * preparation are not among them: dry runs, and what was refused.
 *
 * @throws ClusterBackupError where no machine can be reached or read
 * @public
 */
export async function restoresOnRecord(
  access: ClusterAccess,
  options: { signal?: AbortSignal } = {},
): Promise<RestoresReport> {
  const { signal = new AbortController().signal } = options;
  const cluster = await connectCluster(access, { signal });
  try {
    const unread: RestoresReport['unread'] = [];
    let failure: ClusterBackupError | undefined;
    const read = await Promise.all(
      cluster.outcomes
        .filter(({ role }) => role === 'control-plane')
        .map(async ({ access: { name }, machine, error }) => {
          try {
            if (!machine) throw error;
            return [await recordsOn(machine, signal)];
          } catch (cause) {
            if (!(cause instanceof ClusterBackupError)) throw cause;
            unread.push({ machine: name, message: cause.message });
            failure = cause;
            return [];
          }
        }),
    );
    const records = read.flat();
    if (!records.length && failure) throw failure;
    return { restores: restoresIn(records.flat()), unread };
  } catch (error) {
    if (signal.aborted && !(error instanceof ClusterBackupError)) {
      throw cancelled(NOTHING_CHANGED);
    }
    throw error;
  } finally {
    await cluster.close();
  }
}

/**
 * Puts together what machines remember of the same restores. One that was released on any machine was over on all, since
 * that comes last; and what was past the point of no return anywhere was on every machine that it was of.
 */
export function restoresIn(records: RecordOnMachine[]): RestoreOnRecord[] {
  const names = [...new Set(records.map(({ operation }) => operation))];
  return names
    .sort()
    .reverse()
    .flatMap(operation => {
      const parts = records.filter(record => record.operation === operation);
      const outcome = outcomeOf(parts);
      if (!outcome) return [];
      const [{ origin, decision }] = parts;
      return [
        {
          operation,
          outcome,
          begunAt: begunAt(operation)!,
          endedAt:
            outcome === 'unfinished' ? undefined : lastOf(parts, 'release'),
          lastAt: lastOf(parts),
          archiveSha256: parts.find(part => part.archiveSha256)?.archiveSha256,
          origin,
          decision,
        },
      ];
    });
}

/** Nothing where it stopped nothing. */
function outcomeOf(
  parts: RecordOnMachine[],
): RestoreOnRecord['outcome'] | undefined {
  const touched = ({ name }: Step) =>
    parts.some(({ entries }) => entries.some(({ step }) => step === name));
  if (parts.some(({ isCurrent }) => isCurrent)) return 'unfinished';
  if (touched(passPointOfNoReturn)) return 'restored';
  return touched(parkControlPlane) ? 'taken-back' : undefined;
}

/** The latest time of a line; what came after the restore's own end, such as that it was accepted, is none of it. */
function lastOf(parts: RecordOnMachine[], wanted?: string): string | undefined {
  return parts
    .flatMap(({ entries }) => entries)
    .filter(({ step }) => step === (wanted ?? step))
    .map(({ at }) => at)
    .filter(at => !Number.isNaN(Date.parse(at)))
    .sort()
    .at(-1);
}

async function recordsOn(
  machine: Machine,
  signal: AbortSignal,
): Promise<RecordOnMachine[]> {
  const { stdout } = await machine.run(
    ['sh', '-c', READ, 'sh', JOURNAL_DIRECTORY],
    { signal, maxOutput: MOST * (MAX_PLAN + MAX_JOURNAL) },
  );
  return recordsIn(stdout);
}

/** What is no plan of a restore, or of a later version of this program, is passed over. */
export function recordsIn(printed: string): RecordOnMachine[] {
  return printed.split('\u0002').flatMap(record => {
    const [operation, current, plan, verified, journal] =
      record.split('\u0001');
    if (journal === undefined || operation.length > MAX_NAME) return [];
    if (!begunAt(operation)) return [];
    try {
      const { origin, decision } = parseJson(Buffer.from(plan), planShape);
      const proven = verified.trim()
        ? parseJson(Buffer.from(verified), verifiedShape)
        : undefined;
      return [
        {
          operation,
          isCurrent: current === operation,
          archiveSha256: proven?.archiveSha256,
          origin,
          decision,
          entries: parseEntries(journal),
        },
      ];
    } catch (error) {
      if (error instanceof ShapeProblem) return [];
      throw error;
    }
  });
}
