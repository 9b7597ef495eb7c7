import { Finding } from '../checks';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { WrittenReason } from '../reason';

/**
 * Refusals that a person may override for one restore, each with what is so then, and what to do about it. They guard against harm that
 * somebody may have to accept when there is no other way. Not among them is what makes bytes untrue, another cluster,
 * older programs than those that wrote the data, and what the way back needs: room, machines, kubelets.
 *
 * @public
 */
export const OVERRIDABLE: Readonly<
  Record<string, { then: string; remedy: string }>
> = {
  'archive-expired': {
    then: 'Certificates in the archive may have expired.',
    remedy:
      'Look at them on every node (kubeadm certs check-expiration), and renew them (kubeadm certs renew all).',
  },
  'etcd-tool-cannot-bump': {
    then: 'Revisions went back to those of the archive.',
    remedy:
      'Restart whatever watches the cluster: controllers, operators, every kubelet. What they remember may be of revisions that are others now.',
  },
  'clock-skew': {
    then: 'The clocks of the machines do not agree.',
    remedy:
      'Set them; until then certificates and leases are judged differently on each.',
  },
  'gdc-job-running': {
    then: 'A job worked on the machines meanwhile.',
    remedy: 'Look at what it left, and run it again.',
  },
};

/** What a person decided that a restore does not do by itself, as its plan keeps it. @public */
export interface Decision {
  /** Codes of {@link OVERRIDABLE}, `with-files`, and `leave-out` for every machine that was. */
  what: string[];
  reason: WrittenReason;
}

interface Decided {
  withFiles?: boolean;
  leaveOut?: readonly string[];
  overrides?: readonly string[];
  reason?: WrittenReason;
}

/**
 * What was decided for a restore, and why, if anything was decided or written.
 *
 * @throws ClusterBackupError `override-never`, `reason-missing`
 * @public
 */
export function decisionOf(decided: Decided): Decision | undefined {
  const { withFiles, leaveOut = [], overrides = [], reason } = decided;
  const never = overrides.find(code => !Object.hasOwn(OVERRIDABLE, code));
  if (never !== undefined) {
    throw new ClusterBackupError({
      code: 'override-never',
      message: `Nobody can override ${never}.`,
      state: NOTHING_CHANGED,
      remedy: `What can be overridden: ${Object.keys(OVERRIDABLE).join(', ')}.`,
      details: { overridable: Object.keys(OVERRIDABLE) },
    });
  }
  const what = [
    ...(withFiles ? ['with-files'] : []),
    ...leaveOut.map(machine => `leave-out ${machine}`),
    ...overrides,
  ];
  const text = reason?.text.trim();
  if (!what.length && !text) return undefined;
  if (reason && text) return { what, reason: { ...reason, text } };
  throw new ClusterBackupError({
    code: 'reason-missing',
    message: `A restore with ${what.join(', ')} takes a written reason.`,
    state: NOTHING_CHANGED,
    remedy:
      'Write down why it has to be so; whoever looks at this restore later will read it.',
  });
}

/** Findings of which those that were overridden refuse nothing any more. */
export function overridden(
  findings: Finding[],
  { what }: Pick<Decision, 'what'> = { what: [] },
): Finding[] {
  return findings.map(finding =>
    finding.level === 'refusal' && what.includes(finding.code)
      ? { ...finding, level: 'reservation' }
      : finding,
  );
}

/** What is left to do about refusals that were overridden. */
export function overriddenFindings(decision?: Decision): Finding[] {
  const { what = [], reason } = decision ?? {};
  return what
    .filter(code => Object.hasOwn(OVERRIDABLE, code))
    .map(code => ({
      check: 'overridden',
      level: 'reservation',
      code: `${code}-overridden`,
      message: `${OVERRIDABLE[code].then} ${reason?.by} decided to restore all the same: ${reason?.text}`,
      remedy: OVERRIDABLE[code].remedy,
    }));
}
