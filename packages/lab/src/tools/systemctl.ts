import { AGENT_SOCKET, askAgent, UnitState } from '../node/protocol';
import { FlagTable, parseFlags } from './flags';
import { ToolFailure } from './ToolFailure';

const flagTable: FlagTable = {
  '-q': { name: 'quiet', value: false },
  '--quiet': { name: 'quiet', value: false },
  '-p': { name: 'property', value: true },
  '-P': { name: 'value-of', value: true },
  '--property': { name: 'property', value: true },
  '--value': { name: 'value', value: false },
  '--now': { name: 'now', value: false },
  '--no-pager': { name: 'no-pager', value: false },
  '--no-block': { name: 'no-block', value: false },
  '--no-ask-password': { name: 'no-ask-password', value: false },
  '-l': { name: 'full', value: false },
  '--full': { name: 'full', value: false },
};

const changes = {
  start: 'startUnit',
  stop: 'stopUnit',
  restart: 'restartUnit',
} as const;

/** systemd's `systemctl` for the services of a node, with the exit codes of systemd 252. */
export async function systemctl(argv: string[]): Promise<number> {
  const { flags, words } = parseFlags('systemctl', argv, flagTable);
  const [verb, ...names] = words;
  if (verb === 'daemon-reload') return 0;
  if (!names.length) throw new ToolFailure('Too few arguments.');
  const units = await Promise.all(
    names.map(async name => ({
      name: name.includes('.') ? name : `${name}.service`,
      state: await askAgent(AGENT_SOCKET, 'unit', { name }),
    })),
  );
  switch (verb) {
    case 'start':
    case 'stop':
    case 'restart':
      return change(verb, units);
    case 'is-active':
      units.forEach(({ state }) =>
        say(flags, state?.active ? 'active' : 'inactive'),
      );
      return units.some(({ state }) => state?.active) ? 0 : 3;
    case 'is-enabled': {
      for (const { name, state } of units) {
        if (!state) {
          throw new ToolFailure(
            `Failed to get unit file state for ${name}: No such file or directory`,
          );
        }
        say(flags, 'enabled');
      }
      return 0;
    }
    case 'is-failed':
      units.forEach(({ state }) =>
        say(flags, state?.active ? 'active' : 'inactive'),
      );
      return 1;
    case 'status':
      return units
        .map(({ name, state }) => status(name, state))
        .reduce((worst, code) => Math.max(worst, code), 0);
    case 'show':
      units.forEach(({ name, state }) => show(flags, name, state));
      return 0;
    default:
      throw new ToolFailure(`Unknown command verb ${verb}.`);
  }
}

type Named = { name: string; state: UnitState | null };

async function change(
  verb: keyof typeof changes,
  units: Named[],
): Promise<number> {
  for (const { name, state } of units) {
    if (process.getuid?.() !== 0) {
      throw new ToolFailure(
        `Failed to ${verb} ${name}: Interactive authentication required.\nSee system logs and 'systemctl status ${name}' for details.`,
        4,
      );
    }
    if (!state) {
      throw new ToolFailure(
        verb === 'stop'
          ? `Failed to stop ${name}: Unit ${name} not loaded.`
          : `Failed to ${verb} ${name}: Unit ${name} not found.`,
        5,
      );
    }
    await askAgent(AGENT_SOCKET, changes[verb], { name });
  }
  return 0;
}

function say(flags: Record<string, string[]>, text: string): void {
  if (!flags.quiet) process.stdout.write(`${text}\n`);
}

function status(name: string, state: UnitState | null): number {
  if (!state) {
    process.stderr.write(`Unit ${name} could not be found.\n`);
    return 4;
  }
  const since = new Date(state.since).toUTCString();
  const lines = state.active
    ? [
        `● ${name} - ${state.description}`,
        `     Loaded: loaded (/lib/systemd/system/${name}; enabled; preset: enabled)`,
        `     Active: active (running) since ${since}`,
        `   Main PID: ${state.mainPid} (${state.name})`,
      ]
    : [
        `○ ${name} - ${state.description}`,
        `     Loaded: loaded (/lib/systemd/system/${name}; enabled; preset: enabled)`,
        `     Active: inactive (dead) since ${since}`,
      ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return state.active ? 0 : 3;
}

function show(
  flags: Record<string, string[]>,
  name: string,
  state: UnitState | null,
): void {
  const since = state ? new Date(state.since).toUTCString() : '';
  const all: Record<string, string> = {
    Id: name,
    Description: state?.description ?? name,
    LoadState: state ? 'loaded' : 'not-found',
    ActiveState: state?.active ? 'active' : 'inactive',
    SubState: state?.active ? 'running' : 'dead',
    UnitFileState: state ? 'enabled' : '',
    MainPID: String(state?.mainPid ?? 0),
    ActiveEnterTimestamp: state?.active ? since : '',
    InactiveEnterTimestamp: state?.active ? '' : since,
    Result: 'success',
  };
  const wanted = [...(flags.property ?? []), ...(flags['value-of'] ?? [])]
    .flatMap(list => list.split(','))
    .filter(Boolean);
  const names = wanted.length ? wanted : Object.keys(all);
  for (const property of names) {
    if (!(property in all)) continue;
    process.stdout.write(
      flags.value || flags['value-of']
        ? `${all[property]}\n`
        : `${property}=${all[property]}\n`,
    );
  }
}
