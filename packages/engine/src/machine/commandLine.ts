import { quote } from './quote';

const PID_MARK = 'cluster-backup-pid=';

/**
 * The line given to a login shell to run a command in the C locale, as root through sudo where asked.
 * `sudo` keeps LC_ALL (its env_check list), and then speaks English too.
 */
export function commandLine(
  argv: string[],
  options: { sudo: boolean; stdin: boolean },
): string {
  if (argv[0]?.includes('=')) {
    throw new TypeError(
      `env would take ${argv[0]} for a variable, not for a command.`,
    );
  }
  const words = [
    'env',
    'LC_ALL=C',
    ...(options.sudo ? ['sudo', '-n', '--'] : []),
    ...argv,
  ];
  return `echo ${PID_MARK}$$ >&2; exec ${quote(words)}${
    options.stdin ? '' : ' </dev/null'
  }`;
}

/**
 * Tells a command's process id, which is that of its process group too, from what the command itself says on
 * standard error. The login shell's start files may have said something before.
 */
export function takeProcessId(stderr: string): { pid?: string; said: string } {
  const found = /^cluster-backup-pid=(\d+)\n/m.exec(stderr);
  return found
    ? { pid: found[1], said: stderr.slice(found.index + found[0].length) }
    : { said: stderr };
}

/** Ends a process group. Run by sh, since kill(1) is not installed everywhere. */
export function terminateCommand(pid: string): string[] {
  return ['sh', '-c', 'kill -s TERM -- "-$1"', 'sh', pid];
}

/** `sudo -n` ends with 1, as many commands do; its own words tell it from them. */
const SUDO_REFUSALS = [
  /^sudo: a password is required/m,
  /^sudo: (sorry, )?you must have a tty to run sudo/m,
  /^sudo: a terminal is required/m,
  /^sudo: no tty present/m,
  /^sudo: .*no new privileges/m,
  /^sudo: unable to (initialize|open)/m,
  /^sudo: .*must be owned by uid 0/m,
  /^sudo: account validation failure/m,
  /^sudo: PAM /m,
  /^Sorry, user \S+ is not allowed to execute /m,
  /^Sorry, user \S+ may not run sudo /m,
  /^\S+ is not in the sudoers file/m,
  /^env: .*sudo.*: No such file or directory/m,
];

export function isSudoRefusal(code: number, stderr: string): boolean {
  return (
    (code === 1 || code === 127) &&
    SUDO_REFUSALS.some(pattern => pattern.test(stderr))
  );
}

/** env says so with 127; sudo says so with 1. */
export function isCommandMissing(
  code: number,
  stderr: string,
  sudo: boolean,
): boolean {
  return sudo
    ? code === 1 && /^sudo: .*: command not found$/m.test(stderr)
    : code === 127 && /^env: .*No such file or directory$/m.test(stderr);
}
