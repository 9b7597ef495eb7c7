import { Check, findingOf, isNeeded } from './Check';

export const layoutRead: Check = {
  id: 'layout-read',
  title: 'The control plane is laid out as configured',
  async run(subject) {
    const { unreadable, nodes } = subject;
    return [
      ...[...unreadable].map(([machine, error]) =>
        findingOf(
          error,
          this.id,
          isNeeded(subject, machine) ? 'refusal' : 'reservation',
          machine,
        ),
      ),
      ...nodes.flatMap(node =>
        node.reservations.map(reservation => ({
          check: this.id,
          level: 'reservation' as const,
          code: reservation.id,
          machine: reservation.machine ?? node.machine.name,
          message: reservation.message,
          remedy: '',
        })),
      ),
    ];
  },
};
