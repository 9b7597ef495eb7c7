import { Check, ofEach, reached } from './Check';

// etcd complains of a second between peers; certificates and leases stand a few.
const RESERVATION_SECONDS = 2;
const REFUSAL_SECONDS = 30;

/** Compares each machine's clock with ours, in the middle of the question's round trip. */
export const clocks: Check = {
  id: 'clocks',
  title: 'The clocks agree',
  run(subject) {
    const { purpose, signal } = subject;
    return ofEach(
      reached(subject),
      () => 'reservation',
      this.id,
      async machine => {
        const asked = Date.now();
        const { stdout } = await machine.run(['date', '+%s.%N'], {
          root: false,
          signal,
        });
        const middle = (asked + Date.now()) / 2;
        const skew = Number(stdout) - middle / 1000;
        const off = Math.abs(skew);
        if (off < RESERVATION_SECONDS) return [];
        return [
          {
            check: this.id,
            level:
              purpose !== 'backup' && off >= REFUSAL_SECONDS
                ? 'refusal'
                : 'reservation',
            code: 'clock-skew',
            machine: machine.name,
            message: `The clock of ${machine.name} is ${off.toFixed(
              1,
            )} seconds ${skew > 0 ? 'ahead of' : 'behind'} this one.`,
            remedy: `Set the clock of ${machine.name} (chronyc makestep, or timedatectl set-ntp true), or this one's if it is wrong.`,
          },
        ];
      },
    );
  },
};
