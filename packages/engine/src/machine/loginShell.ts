import { shellNoisy, shellUnsupported } from './failures';
import { Machine, MachineAccess } from './Machine';

const PROBE_MS = 20_000;

/** Whatever a shell that is not a POSIX one makes something else of. */
const PROBE = `cluster-backup: '"\\\\ \\' !! $HOME \`:\` {a,b} *\n%;`;

/**
 * Makes sure that the login shell hands commands over as they are and adds nothing to their output. This is
 * also the first session, upon which sshd switches off Nagle's delay on its side.
 */
export async function probeLoginShell(
  machine: Machine,
  access: MachineAccess,
  signal?: AbortSignal,
): Promise<void> {
  const { stdout, stderr } = await machine.run(['printf', '%s', PROBE], {
    root: false,
    signal,
    timeoutMs: PROBE_MS,
    accept: Array.from({ length: 256 }, (_, code) => code),
  });
  if (stdout === PROBE) {
    return;
  }
  throw stdout.includes(PROBE)
    ? shellNoisy(access, stdout.replace(PROBE, '').slice(0, 2048))
    : shellUnsupported(access, `${stdout}${stderr}`.slice(0, 2048));
}
