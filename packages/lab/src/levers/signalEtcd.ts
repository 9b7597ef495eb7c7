import { EtcdPlan } from '../kubeadm/plan';
import { LabNode } from '../LabNode';

/** Sends a signal to one of a machine's etcds, told by its data directory. */
export async function signalEtcd(
  node: LabNode,
  { dataDirectory }: EtcdPlan,
  signal: string,
): Promise<void> {
  await node.exec([
    ...['pkill', `-${signal}`, '-f'],
    `^etcd .*--data-dir=${dataDirectory}( |$)`,
  ]);
}
