import { ClusterBackupError } from '../errors';
import { MachineAccess } from './Machine';

function where(access: MachineAccess): string {
  return `${access.name} (${access.address} port ${access.port ?? 22})`;
}

function untouched(access: MachineAccess): string {
  return `No command was run on ${access.name}.`;
}

const UNREACHABLE: Record<string, [string, string]> = {
  ECONNREFUSED: [
    'refuses connections',
    'Check that sshd runs there (systemctl status ssh or sshd) and that the port is right.',
  ],
  ETIMEDOUT: [
    'does not answer',
    'Check that the machine is up and that no firewall drops packets between here and there.',
  ],
  EHOSTUNREACH: [
    'cannot be reached: there is no route to it, or it is down',
    'Check that the machine is up, and the route to it from where this runs.',
  ],
  ENETUNREACH: [
    'cannot be reached: there is no route to its network',
    'Check the route to it from where this runs; a jump host may be needed.',
  ],
  ENOTFOUND: [
    'cannot be reached: its name does not resolve',
    'Check the configured address, or use the IP address.',
  ],
  EAI_AGAIN: [
    'cannot be reached: its name could not be looked up',
    'Check that name resolution works where this runs, or use the IP address.',
  ],
};

export function addressInvalid(
  access: Pick<MachineAccess, 'name'>,
  what: string,
): ClusterBackupError {
  return new ClusterBackupError({
    code: 'machine-address-invalid',
    message: `What is given of ${JSON.stringify(
      access.name.slice(0, 100),
    )} cannot be used: ${what}.`,
    state: 'The machine was not contacted.',
    remedy:
      'Correct it where the machine is configured or, of a cluster of layout gdc, in its Cluster resource or NodePool.',
    details: { machine: access.name.slice(0, 100) },
  });
}

export function unreachable(
  access: MachineAccess,
  cause: unknown,
  via?: string,
): ClusterBackupError {
  const reason =
    (cause as NodeJS.ErrnoException | undefined)?.code ?? 'unknown';
  const [what, remedy] = UNREACHABLE[reason] ?? [
    `cannot be reached: ${messageOf(cause)}`,
    'Check that the machine is up and reachable from where this runs.',
  ];
  return new ClusterBackupError({
    code: 'machine-unreachable',
    message: `${where(access)} ${what}${via ? ` (from ${via})` : ''}.`,
    state: untouched(access),
    remedy,
    details: {
      machine: access.name,
      address: access.address,
      port: access.port ?? 22,
      reason,
      ...(via && { via }),
    },
    cause,
  });
}

export function noHandshake(
  access: MachineAccess,
  cause: unknown,
): ClusterBackupError {
  return new ClusterBackupError({
    code: 'machine-unreachable',
    message: `${where(
      access,
    )} accepts connections, but no SSH session comes about: ${messageOf(
      cause,
    )}.`,
    state: untouched(access),
    remedy:
      'Check that the port is that of an OpenSSH server, that it is not overloaded (MaxStartups), and what its log says about this connection.',
    details: {
      machine: access.name,
      address: access.address,
      port: access.port ?? 22,
      reason: 'handshake',
    },
    cause,
  });
}

export function loginRefused(
  access: MachineAccess,
  publicKey: string,
  furtherMethods: string[],
): ClusterBackupError {
  if (furtherMethods.length > 0) {
    return new ClusterBackupError({
      code: 'machine-login-refused',
      message: `${where(access)} accepts the key of ${
        access.user
      }, but asks for more: ${furtherMethods.join(' or ')}.`,
      state: untouched(access),
      remedy: `Let ${access.user} log in with the key alone: AuthenticationMethods publickey, in a Match User block of the sshd configuration of ${access.name}.`,
      details: {
        machine: access.name,
        user: access.user,
        publicKey,
        furtherMethods,
      },
    });
  }
  return new ClusterBackupError({
    code: 'machine-login-refused',
    message: `${where(access)} refuses the login of ${
      access.user
    } with the configured key.`,
    state: untouched(access),
    remedy: `Add this line to ~/.ssh/authorized_keys of ${access.user} on ${access.name}: ${publicKey} (or configure the key that is there). Where the key was replaced since the backup, it is needed until the restore has ended, and may be replaced again then. Where it is there already, sshd's log tells why it is not accepted.`,
    details: { machine: access.name, user: access.user, publicKey },
  });
}

export function sessionRefused(
  access: MachineAccess,
  cause: unknown,
): ClusterBackupError {
  return new ClusterBackupError({
    code: 'machine-session-refused',
    message: `${where(access)} accepts the login of ${
      access.user
    }, but refuses to run a command: ${messageOf(cause)}.`,
    state: untouched(access),
    remedy: `Check MaxSessions and ForceCommand in the sshd configuration of ${access.name}, and sshd's log.`,
    details: { machine: access.name, user: access.user },
    cause,
  });
}

export function shellUnsupported(
  access: MachineAccess,
  output: string,
): ClusterBackupError {
  return new ClusterBackupError({
    code: 'login-shell-unsupported',
    message: `The login shell of ${access.user} on ${access.name} does not run commands as a POSIX shell does.`,
    state: `Nothing but a harmless test (printf) was run on ${access.name}.`,
    remedy: `Give ${access.user} a POSIX login shell there (usermod -s /bin/bash ${access.user}), not fish, csh or nologin, and no forced command in authorized_keys.`,
    details: { machine: access.name, user: access.user, output },
  });
}

export function shellNoisy(
  access: MachineAccess,
  noise: string,
): ClusterBackupError {
  return new ClusterBackupError({
    code: 'login-shell-noisy',
    message: `The login shell of ${access.user} on ${access.name} prints text of its own before every command, which would end up inside the files that are read.`,
    state: `Nothing but a harmless test (printf) was run on ${access.name}.`,
    remedy: `Find what prints it in the shell's start files there (~/.bashrc, /etc/bash.bashrc, ~/.ssh/rc) and keep it to interactive shells: case $- in *i*) ;; *) return ;; esac`,
    details: { machine: access.name, user: access.user, noise },
  });
}

export function connectionLost(
  access: MachineAccess,
  why: string,
  cause?: unknown,
): ClusterBackupError {
  return new ClusterBackupError({
    code: 'machine-connection-lost',
    message: `The connection to ${where(access)} was lost: ${why.replace(
      /\.$/,
      '',
    )}.`,
    state: `Commands that were running on ${access.name} may have been cut short or may still run to their end.`,
    remedy:
      'Check that the machine is up and the network between here and there, then try again.',
    details: { machine: access.name, address: access.address, reason: why },
    cause,
  });
}

export function connectionClosed(access: MachineAccess): ClusterBackupError {
  return new ClusterBackupError({
    code: 'machine-connection-closed',
    message: `The connection to ${where(access)} has been closed.`,
    state: `Nothing more is run on ${access.name} over it.`,
    remedy: 'Connect again.',
    details: { machine: access.name, address: access.address },
  });
}

export function sudoRefused(
  access: MachineAccess,
  command: string,
  stderr: string,
): ClusterBackupError {
  let remedy = `Allow it on ${access.name}: in a file of mode 0440 in /etc/sudoers.d/, ${access.user} ALL=(ALL) NOPASSWD: ALL`;
  if (/\btty\b|terminal is required/.test(stderr)) {
    remedy = `Exempt the user from requiretty on ${access.name}: in /etc/sudoers.d/, Defaults:${access.user} !requiretty`;
  } else if (/^env:/m.test(stderr)) {
    remedy = `Install sudo on ${access.name} and let ${access.user} use it without a password, or log in as root.`;
  }
  return new ClusterBackupError({
    code: 'sudo-refused',
    message: `sudo on ${access.name} does not let ${
      access.user
    } run ${command} as root without a password: ${lastLine(stderr)}`,
    state: `${command} was not run on ${access.name}.`,
    remedy,
    details: { machine: access.name, user: access.user, command, stderr },
  });
}

export function commandMissing(
  access: MachineAccess,
  command: string,
  stderr: string,
): ClusterBackupError {
  return new ClusterBackupError({
    code: 'machine-command-missing',
    message: `${command} is not on ${access.name}, or not on the PATH of its non-interactive sessions.`,
    state: `${command} was not run on ${access.name}.`,
    remedy: `Install ${command} on ${access.name}, or link it into /usr/bin there.`,
    details: { machine: access.name, command, code: 127, stderr },
  });
}

export function commandFailed(
  access: MachineAccess,
  command: string,
  ending: { code?: number; signal?: string },
  stderr: string,
): ClusterBackupError {
  let how = `ended with code ${ending.code}`;
  if (ending.signal !== undefined) {
    how = `was killed by ${ending.signal}`;
  } else if (ending.code === undefined) {
    how = 'ended without telling how';
  }
  const said = lastLine(stderr);
  return new ClusterBackupError({
    code: 'machine-command-failed',
    message: `${command} on ${access.name} ${how}${said ? `: ${said}` : '.'}`,
    state: `What ${command} did on ${access.name} before it ended stands.`,
    remedy: `Read what it said, and remove its cause on ${access.name}.`,
    details: { machine: access.name, command, ...ending, stderr },
  });
}

export function commandEndedEarly(
  access: MachineAccess,
  command: string,
  stderr: string,
): ClusterBackupError {
  const said = lastLine(stderr);
  return new ClusterBackupError({
    code: 'machine-command-failed',
    message: `${command} on ${
      access.name
    } ended before it had taken all of its input${said ? `: ${said}` : '.'}`,
    state: `What ${command} did on ${access.name} before it ended stands.`,
    remedy: `Read what it said, and remove its cause on ${access.name}.`,
    details: { machine: access.name, command, stderr },
  });
}

export function commandTimeout(
  access: MachineAccess,
  command: string,
  milliseconds: number,
  stderr: string,
): ClusterBackupError {
  return new ClusterBackupError({
    code: 'machine-command-timeout',
    message: `${command} on ${access.name} did not end within ${
      milliseconds / 1000
    } s.`,
    state: `${command} was told to stop; it may still run on ${access.name}.`,
    remedy: `Check the load and the disks of ${access.name}, then try again.`,
    details: { machine: access.name, command, milliseconds, stderr },
  });
}

export function outputTooLong(
  access: MachineAccess,
  command: string,
  limit: number,
): ClusterBackupError {
  return new ClusterBackupError({
    code: 'machine-output-too-long',
    message: `${command} on ${access.name} printed more than the ${limit} bytes that are expected of it.`,
    state: `${command} was told to stop on ${access.name}.`,
    remedy: `Run it there by hand and look at what it prints.`,
    details: { machine: access.name, command, limit },
  });
}

export function dialRefused(
  access: MachineAccess,
  target: string,
  reason: string,
): ClusterBackupError {
  return new ClusterBackupError({
    code: 'dial-refused',
    message: `From ${access.name}, ${target} cannot be reached: ${reason}.`,
    state: `Nothing was sent to ${target}.`,
    remedy: `Check on ${access.name} that something listens there (ss -ltn).`,
    details: { machine: access.name, target, reason },
  });
}

export function dialForbidden(
  access: MachineAccess,
  target: string,
  reason: string,
): ClusterBackupError {
  return new ClusterBackupError({
    code: 'dial-forbidden',
    message: `sshd on ${access.name} forbids TCP forwarding, and the way around it (bash and cat) does not work there either: ${reason}.`,
    state: `Nothing was sent to ${target}.`,
    remedy: `Set AllowTcpForwarding local in the sshd configuration of ${access.name}, or install bash there.`,
    details: { machine: access.name, target, reason },
  });
}

export function dialClosed(
  access: MachineAccess,
  target: string,
): ClusterBackupError {
  return new ClusterBackupError({
    code: 'dial-closed',
    message: `${target}, reached through ${access.name}, closed the connection.`,
    state: 'What was sent before may or may not have had its effect.',
    remedy: `Check on ${access.name} whether what listens there was restarted.`,
    details: { machine: access.name, target },
  });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The last words of a command, which are mostly the ones that explain it. */
function lastLine(text: string): string {
  const lines = text.trim().split('\n');
  return lines[lines.length - 1].slice(-500);
}
