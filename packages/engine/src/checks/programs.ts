import { Check, ofEach } from './Check';

/** What nodes are read with. */
const READ_WITH = ['find', 'stat', 'tar'];
/** What a restore stops, watches and changes a node with; found missing while everything still runs. */
const RESTORED_WITH = [
  ...['systemctl', 'crictl', 'ss', 'flock'],
  ...['df', 'od', 'nice', 'sync', 'chown', 'grep'],
];

export const programs: Check = {
  id: 'programs',
  title: 'The programs that are needed are on every control-plane node',
  run({ cluster, purpose, signal }) {
    const machines = cluster.outcomes.flatMap(({ machine, role }) =>
      machine && role === 'control-plane' ? [machine] : [],
    );
    return ofEach(
      machines,
      // That there is no root is told by another check.
      () => 'reservation',
      this.id,
      async machine => {
        const { stdout } = await machine.run(
          [
            'sh',
            '-c',
            'for program; do command -v "$program" >/dev/null || echo "$program"; done',
            'sh',
            ...READ_WITH,
            ...RESTORED_WITH,
          ],
          { signal },
        );
        return stdout
          .split('\n')
          .filter(Boolean)
          .map(program => ({
            check: this.id,
            level:
              purpose !== 'backup' || READ_WITH.includes(program)
                ? ('refusal' as const)
                : ('reservation' as const),
            code: 'machine-command-missing',
            machine: machine.name,
            message: `${program} is not on ${
              machine.name
            }, or not on root's PATH; ${
              READ_WITH.includes(program)
                ? 'its files cannot be read without it'
                : 'a restore needs it'
            }.`,
            remedy: `Install ${program} on ${machine.name}, or link it into /usr/bin there.`,
          }));
      },
    );
  },
};
