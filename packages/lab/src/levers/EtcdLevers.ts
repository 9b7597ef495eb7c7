import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { mainEtcd } from '../kubeadm/plan';
import { LabNode } from '../LabNode';
import { signalEtcd } from './signalEtcd';

const MANIFEST = '/etc/kubernetes/manifests/etcd.yaml';
const DATABASE = '/var/lib/etcd/member/snap/db';
/** etcd writes to its database every tenth of a second. */
const COMMITTED_MS = 500;
const PATIENCE_MS = 60_000;

/** Does to one member what time and bad luck do. @public */
export class EtcdLevers {
  constructor(
    private readonly node: LabNode,
    private readonly peers: () => LabNode[],
  ) {}

  /** The member's process stands still. */
  async freeze(): Promise<void> {
    await this.signal('STOP');
  }

  async thaw(): Promise<void> {
    await this.signal('CONT');
  }

  /** Ends the member's process without a word. A kubelet that runs starts it again. */
  async kill(): Promise<void> {
    await this.signal('KILL');
  }

  /**
   * Changes a value in the member's database behind its back, so that its HashKV differs from its peers'. The key
   * is `/lab/broken`. A member in this state refuses to start again, since kubeadm has it compare with its peers.
   */
  async breakData(): Promise<void> {
    const value = 'the value that this member will not agree on with its peers';
    await this.node.etcdctl(['put', '/lab/broken', value]);
    // Again when etcd has just copied the page that was changed to another place.
    await insist(async () => {
      await this.overwrite(value, value.toUpperCase());
      await sleep(COMMITTED_MS);
      const { stdout } = await this.node.etcdctl([
        ...['get', '--consistency=s', '--print-value-only', '/lab/broken'],
      ]);
      if (stdout.trim() === value) throw new Error('The value is still whole.');
    });
  }

  /**
   * etcd reads its database through a shared mapping: what is written to the file is what it sees. It stands still
   * meanwhile, lest it puts another page where the text was found.
   */
  private async overwrite(text: string, other: string): Promise<void> {
    await this.freeze();
    try {
      await this.node.exec([
        'sh',
        '-euc',
        String.raw`
          for offset in $(grep -abo "$1" "$3" | cut -d: -f1); do
            printf %s "$2" | dd of="$3" bs=1 seek="$offset" conv=notrunc status=none
          done`,
        'sh',
        text,
        other,
        DATABASE,
      ]);
    } finally {
      await this.thaw();
    }
  }

  /** Ends the member and removes its data. It stands still before, lest it dies of the loss by itself. */
  async loseData(): Promise<void> {
    await this.freeze();
    await this.node.exec(['rm', '-rf', '/var/lib/etcd/member']);
    await this.kill();
  }

  /** Raises an alarm of this member; it stays until `etcdctl alarm disarm`. */
  async raiseAlarm(alarm: 'NOSPACE' | 'CORRUPT'): Promise<void> {
    await this.node.ask('raiseAlarm', {
      alarm,
      memberId: BigInt(`0x${await this.memberId()}`).toString(),
    });
  }

  /** Turns the member into a learner: it leaves, loses its data and joins again. Needs three nodes. */
  async becomeLearner(): Promise<void> {
    const [peer] = this.peers();
    const id = await this.memberId();
    await this.node.system.stopKubelet();
    await this.kill();
    await this.node.exec(['rm', '-rf', '/var/lib/etcd/member']);
    await insist(() => peer.etcdctl(['member', 'remove', id]));
    const { stdout } = await insist(() =>
      peer.etcdctl([
        ...['member', 'add', this.node.name, '--learner'],
        `--peer-urls=https://${this.node.internalAddress}:2380`,
      ]),
    );
    const cluster = /ETCD_INITIAL_CLUSTER="([^"]*)"/.exec(stdout)?.[1];
    await this.setFlag('--initial-cluster', cluster!);
    await this.setFlag('--initial-cluster-state', 'existing');
    await this.node.system.startKubelet();
    await insist(async () => {
      if (!(await this.node.ask('etcdServes'))) throw new Error('not yet');
    });
  }

  /** Sets a flag in the member's manifest, which has the kubelet start it anew. */
  async setFlag(name: string, value: string): Promise<void> {
    const pod = parse(await this.node.readFile(MANIFEST));
    const [container] = pod.spec.containers;
    container.command = [
      ...container.command.filter(
        (word: string) => !word.startsWith(`${name}=`),
      ),
      `${name}=${value}`,
    ];
    await this.node.writeFile(MANIFEST, stringify(pod, { lineWidth: 0 }));
  }

  private async memberId(): Promise<string> {
    const { stdout } = await this.node.etcdctl(['member', 'list']);
    const line = stdout
      .split('\n')
      .find(member => member.split(', ')[2] === this.node.name);
    if (!line) throw new Error(`${this.node.name} is no member.`);
    return line.split(', ')[0];
  }

  private async signal(name: string): Promise<void> {
    await signalEtcd(this.node, mainEtcd, name);
  }
}

/** Members need a moment to elect a leader before they take a change. */
async function insist<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(200);
    }
  }
}
