import { change } from '../journal';
import { Step } from '../Step';

/** Written on every machine before any API server starts: whoever finds it knows that there is no way back. */
export const passPointOfNoReturn: Step = {
  name: 'point-of-no-return',
  title: 'From here only forward',
  zone: 'forward',
  async run({ attempt }, { machine }) {
    await change(machine, attempt, 'point-of-no-return', ':');
  },
};
