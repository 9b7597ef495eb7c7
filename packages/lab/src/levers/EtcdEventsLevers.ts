import { eventsEtcd } from '../gdc/plan';
import { ExecOptions, ExecResult, LabNode } from '../LabNode';
import { etcdctl } from './etcdctl';
import { signalEtcd } from './signalEtcd';

/** Does to one member of the etcd that keeps Events what time and bad luck do. Of GDC labs only. @public */
export class EtcdEventsLevers {
  constructor(private readonly node: LabNode) {}

  /** Ends the member and removes its data. A kubelet that runs starts it again. */
  async empty(): Promise<void> {
    await signalEtcd(this.node, eventsEtcd, 'STOP');
    await this.node.exec(['rm', '-rf', `${eventsEtcd.dataDirectory}/member`]);
    await signalEtcd(this.node, eventsEtcd, 'KILL');
  }

  /** Runs etcdctl against this machine's member. */
  etcdctl(args: string[], options: ExecOptions = {}): Promise<ExecResult> {
    return etcdctl(this.node, eventsEtcd, args, options);
  }

  /** Whether it can read what the majority holds. */
  async healthy(): Promise<boolean> {
    return (await this.node.ask('readiness')).etcdEvents;
  }
}
