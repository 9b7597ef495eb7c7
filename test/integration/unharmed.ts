import { Lab } from '@cluster-backup/lab';
import { contentsAt, differences, KeyFacts } from '../proof/contents';

/** What a cluster is and runs, as far as a backup or a restore could change it. */
export interface Sight {
  contents: Map<string, KeyFacts>;
  /** By machine: ids of the containers that run. */
  containers: Record<string, string[]>;
  /** By machine: manifests, and whatever of ours lies around. */
  files: Record<string, string[]>;
}

// A journal stays for a month; that an operation is under way does not.
const FILES = `cd /etc/kubernetes
find manifests -type f
find . /var/lib/etcd /run -maxdepth 1 -name '*cluster-backup*'
find /var/lib/cluster-backup -maxdepth 1 -name current 2>/dev/null
stat -c '%n %a %u:%g' /var/lib/etcd /var/lib/etcd/member`;

export async function look(lab: Lab): Promise<Sight> {
  const sight: Sight = {
    contents: await contentsAt(lab.nodes[0]),
    containers: {},
    files: {},
  };
  for (const node of lab.nodes) {
    const ids = await node.exec(['crictl', 'ps', '-q']);
    const files = await node.exec(['sh', '-c', FILES]);
    sight.containers[node.name] = lines(ids.stdout);
    sight.files[node.name] = lines(files.stdout);
  }
  return sight;
}

const lines = (text: string) => text.split('\n').filter(Boolean).sort();

/** Nothing was stopped, nothing was changed, nothing was left behind. */
export async function expectUntouched(before: Sight, lab: Lab) {
  const now = await look(lab);
  expect(now.containers).toEqual(before.containers);
  expect(now.files).toEqual(before.files);
  expect(differences(before.contents, now.contents)).toEqual([]);
}

/** As before to whoever uses the cluster; pods may have been stopped and started again. */
export async function expectAsBefore(before: Sight, lab: Lab) {
  const now = await look(lab);
  expect(now.files).toEqual(before.files);
  expect(differences(before.contents, now.contents)).toEqual([]);
  const names = ['etcd', 'kube-apiserver'];
  for (const node of lab.nodes) {
    for (const name of names) {
      const { stdout } = await node.exec([
        ...['crictl', 'ps', '-q', '--label'],
        `io.kubernetes.container.name=${name}`,
      ]);
      expect([node.name, name, lines(stdout).length]).toEqual([
        node.name,
        name,
        1,
      ]);
    }
  }
}
