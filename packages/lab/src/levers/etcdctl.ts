import { EtcdPlan } from '../kubeadm/plan';
import { ExecOptions, ExecResult, LabNode } from '../LabNode';

const PKI = '/etc/kubernetes/pki/etcd';

/** Runs etcdctl in a machine, against its member of one of its etcds. */
export function etcdctl(
  node: LabNode,
  { clientPort }: EtcdPlan,
  args: string[],
  options: ExecOptions = {},
): Promise<ExecResult> {
  return node.exec(
    [
      '/run/lab/images/etcd/usr/local/bin/etcdctl',
      ...['--endpoints', `https://127.0.0.1:${clientPort}`],
      ...['--cacert', `${PKI}/ca.crt`],
      ...['--cert', `${PKI}/server.crt`, '--key', `${PKI}/server.key`],
      ...args,
    ],
    options,
  );
}
