import { Lab } from '@cluster-backup/lab';
import { contentsAt, differences, KeyFacts } from '../proof/contents';
import { eventually } from './eventually';

/** What a cluster is and runs, as far as a backup or a restore could change it. */
export interface Sight {
  contents: Map<string, KeyFacts>;
  /** By machine: ids of the containers that run. */
  containers: Record<string, string[]>;
  /** By machine: manifests, and whatever of ours lies around. */
  files: Record<string, string[]>;
}

// A journal stays for a month; that an operation is under way does not.
const LOOK = `crictl ps -q
echo --
cd /etc/kubernetes
find manifests -type f
find . /var/lib/etcd /run -maxdepth 1 -name '*cluster-backup*'
find /var/lib/cluster-backup -maxdepth 1 -name current 2>/dev/null
stat -c '%n %a %u:%g' /var/lib/etcd /var/lib/etcd/member`;

const lines = (text: string) => text.split('\n').filter(Boolean).sort();

const countOf = (containers: Sight['containers']) =>
  Object.fromEntries(
    Object.entries(containers).map(([name, ids]) => [name, ids.length]),
  );

export async function look(lab: Lab): Promise<Sight> {
  const sight: Sight = { contents: new Map(), containers: {}, files: {} };
  await Promise.all([
    contentsAt(lab.nodes[0]).then(contents => {
      sight.contents = contents;
    }),
    ...lab.nodes.map(async node => {
      const { stdout } = await node.exec(['sh', '-c', LOOK]);
      const [containers, files] = stdout.split('--\n');
      sight.containers[node.name] = lines(containers);
      sight.files[node.name] = lines(files);
    }),
  ]);
  return sight;
}

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
  // An undo waits for etcd and the API servers, not for controllers.
  await eventually(async () => {
    const { containers } = await look(lab);
    expect(countOf(containers)).toEqual(countOf(before.containers));
  });
}
