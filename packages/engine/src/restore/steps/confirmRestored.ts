import { Step } from '../Step';
import { ask, awaitEvents, awaitOneCluster, compareData } from './members';

/** The snapshot's own alarms came back with it; what it holds is compared once more, now under load. */
export const confirmRestored: Step = {
  name: 'confirm',
  title: 'Clear alarms and compare the members',
  zone: 'forward',
  async settled(attempting, nodes, verified) {
    await awaitOneCluster(attempting, nodes);
    await awaitEvents(attempting, nodes);
    await ask(nodes[0], attempting.signal, async member => {
      for (const alarm of await member.alarms()) await member.disarm(alarm);
    });
    await compareData(attempting, nodes, verified);
  },
};
