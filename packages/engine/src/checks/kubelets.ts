import { Check, ofEach, reached } from './Check';

/** Only a living kubelet stops and starts static pods. */
export const kubelets: Check = {
  id: 'kubelets',
  title: 'Every kubelet runs',
  run(subject) {
    const { purpose, signal, cluster, nodes } = subject;
    // One that gets its configuration back is started with it.
    const isStarted = (name: string) =>
      nodes.some(
        ({ machine, filesBack }) => machine.name === name && filesBack?.kubelet,
      );
    const levelOf = (name: string) =>
      purpose !== 'backup' &&
      !isStarted(name) &&
      cluster.access.controlPlane.some(a => a.name === name)
        ? ('refusal' as const)
        : ('reservation' as const);
    return ofEach(
      reached(subject),
      machine => levelOf(machine.name),
      this.id,
      async machine => {
        const { stdout, code } = await machine.run(
          ['systemctl', 'is-active', 'kubelet'],
          { accept: [0, 1, 2, 3, 4], signal },
        );
        if (code === 0) return [];
        return [
          {
            check: this.id,
            level: levelOf(machine.name),
            code: 'kubelet-down',
            machine: machine.name,
            message: `The kubelet of ${machine.name} is ${
              stdout.trim() || 'not running'
            }.`,
            remedy: `Start it: systemctl start kubelet; when it does not stay up: journalctl -u kubelet.`,
          },
        ];
      },
    );
  },
};
