import { Check, findingOf, ofEach, reached } from './Check';

/** A restore must reach every control-plane node; a backup needs one, a worker's kubelet can be restarted by hand. */
export const machinesReached: Check = {
  id: 'machines-reached',
  title: 'Every machine answers over SSH and gives root',
  async run(subject) {
    const levelOf = (name: string) =>
      subject.purpose !== 'backup' &&
      subject.cluster.access.controlPlane.some(a => a.name === name)
        ? ('refusal' as const)
        : ('reservation' as const);
    const unreached = subject.cluster.outcomes.flatMap(({ access, error }) =>
      error
        ? [findingOf(error, this.id, levelOf(access.name), access.name)]
        : [],
    );
    const rootless = await ofEach(
      reached(subject),
      machine => levelOf(machine.name),
      this.id,
      async machine => {
        await machine.run(['true'], { signal: subject.signal });
        return [];
      },
    );
    return [...unreached, ...rootless];
  },
};
