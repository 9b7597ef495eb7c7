import { LabNode } from '@cluster-backup/lab';

/** What each member says of itself and of its data, as etcdctl prints it. */
export async function membersAgree(nodes: LabNode[]): Promise<string[]> {
  const answers: Array<Status & { node: string }> = [];
  for (const node of nodes) {
    const status = await json(node, ['endpoint', 'status']);
    const [{ Status }] = status as [{ Status: Status }];
    answers.push({ node: node.name, ...Status });
  }
  // Written to meanwhile, members stand at different revisions: the hash is taken at the oldest.
  const revision = Math.min(...answers.map(a => a.header.revision));
  const hashes: number[] = [];
  for (const node of nodes) {
    const [{ HashKV }] = (await json(node, [
      'endpoint',
      'hashkv',
      `--rev=${revision}`,
    ])) as [{ HashKV: { hash: number; compact_revision: number } }];
    hashes.push(HashKV.hash);
  }
  const told: string[] = [];
  answers.forEach((answer, i) => {
    if (answer.header.cluster_id !== answers[0].header.cluster_id) {
      told.push(`${answer.node} is of another cluster`);
    }
    if (hashes[i] !== hashes[0]) {
      told.push(`${answer.node} hashes to ${hashes[i]}, not ${hashes[0]}`);
    }
  });
  return told;
}

interface Status {
  header: { cluster_id: number | string; revision: number };
}

async function json(node: LabNode, command: string[]): Promise<unknown> {
  const { stdout } = await node.etcdctl([...command, '--write-out=json']);
  // 64-bit identifiers do not fit a number.
  return JSON.parse(stdout.replace(/"cluster_id":(\d+)/g, '"cluster_id":"$1"'));
}
