import { Check, findingOf, isNeeded, ofEach, reached } from './Check';

export const machinesReached: Check = {
  id: 'machines-reached',
  title: 'Every machine answers over SSH and gives root',
  async run(subject) {
    const levelOf = (name: string) =>
      isNeeded(subject, name) ? 'refusal' : 'reservation';
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
