import { ClusterBackupError, NOTHING_CHANGED } from '../errors';

const CERTIFICATE =
  /certificate|self.signed|unable to (verify|get)|alert|altnames|SSL routines/i;
const NO_LEADER =
  /no leader|etcdserver: request timed out|etcdserver: leader changed|not capable/i;

/** What remains of a message when the names, numbers, files and times of gRPC and OpenSSL are taken off. */
function plainWords(reason: string): string {
  const words = reason
    .replace(/^\w*Error: /, '')
    .replace(/^\d+ [A-Z_]+: /, '')
    .replace(/^No connection established\. Last error: /, '')
    .replace(/\s*\(\d{4}-\d\d-\d\dT[^)]*\)\. Resolution note:[\s\S]*$/, '')
    .replace(/[\s\S]*:SSL routines:[^:]*:([^:]+):[\s\S]*/, '$1');
  return words.replace(/\s+/g, ' ').trim();
}

const NOBODY_LISTENS = ['dial-refused', 'dial-closed'];

/** Turns what a call to a member failed with into what a person should read. */
export function memberError(
  member: string,
  machine: string,
  call: string,
  error: unknown,
  transport: Error | undefined,
): ClusterBackupError {
  const reason = error instanceof Error ? error.message : String(error);
  // An earlier connection's failure says nothing about an answer that came.
  const broken = /UNAVAILABLE|ECONN|deadline/i.test(reason);
  // What the machine says of itself stands; that nothing listens there is said better in etcd's terms.
  for (const known of [error, broken ? transport : undefined]) {
    if (
      known instanceof ClusterBackupError &&
      !NOBODY_LISTENS.includes(known.code)
    ) {
      return known;
    }
  }
  const words = plainWords(reason);
  const details = { member, machine, call, reason: words };
  const common = { state: NOTHING_CHANGED, details, cause: error };
  if (CERTIFICATE.test(reason)) {
    return new ClusterBackupError({
      ...common,
      code: 'etcd-certificate-refused',
      message: `The TLS connection to etcd member ${member} on ${machine} was refused: ${words}`,
      remedy: `Check that the etcd certificates on ${machine} come from one certificate authority and are not expired (kubeadm certs check-expiration).`,
    });
  }
  if (NO_LEADER.test(reason)) {
    return new ClusterBackupError({
      ...common,
      code: 'etcd-no-quorum',
      message: `etcd member ${member} on ${machine} has no quorum behind it: ${words}`,
      remedy:
        'Start the members that are down, so that more than half of them run, and try again.',
    });
  }
  if (broken || error instanceof ClusterBackupError) {
    return new ClusterBackupError({
      ...common,
      code: 'etcd-unreachable',
      message: `etcd member ${member} on ${machine} does not answer (${call}): ${
        transport?.message ?? words
      }`,
      remedy: `Look at the etcd container on ${machine}: crictl ps -a --name etcd, crictl logs.`,
    });
  }
  return new ClusterBackupError({
    ...common,
    code: 'etcd-call-failed',
    message: `etcd member ${member} on ${machine} refused ${call}: ${words}`,
    remedy: `Look at the log of the etcd container on ${machine}.`,
  });
}
