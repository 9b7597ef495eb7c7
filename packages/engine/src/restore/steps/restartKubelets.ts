import { change } from '../journal';
import { ClusterBackupError } from '../../errors';
import { Attempting, Step } from '../Step';

/** Kubelets hold pods that the restored cluster may not know, and versions from its future. */
export const restartKubelets: Step = {
  name: 'restart-kubelets',
  title: 'Restart the kubelets',
  zone: 'forward',
  async run({ attempt }, { machine }) {
    await change(
      machine,
      attempt,
      'restart-kubelets',
      'systemctl restart kubelet',
    );
  },
  settled: attempting => restartWorkers(attempting),
};

/** A worker that cannot be reached is told of, not waited for: the cluster is back without it. */
async function restartWorkers({ cluster, plan, progress }: Attempting) {
  await Promise.all(
    plan.workers.map(async name => {
      try {
        const machine = await cluster.machine(name);
        await machine.run(['systemctl', 'restart', 'kubelet']);
      } catch (error) {
        if (!(error instanceof ClusterBackupError)) throw error;
        progress({
          type: 'note',
          step: 'restart-kubelets',
          machine: name,
          message: `The kubelet of ${name} was not restarted: ${error.message} Restart it by hand: systemctl restart kubelet.`,
        });
      }
    }),
  );
}
