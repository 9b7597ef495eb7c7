import { setTimeout as sleep } from 'node:timers/promises';
import { Lab, startLab } from '@cluster-backup/lab';
import { readControlPlaneNode } from '../layout/kubeadm';
import { ControlPlaneNode } from '../layout/ControlPlaneNode';
import { connectMachine } from '../machine/connectMachine';
import { connectMember } from './connectMember';
import { collectClusterFacts, judgeMembers } from './fitness';

const { signal } = new AbortController();

describe('members in trouble, over SSH', () => {
  let lab: Lab;
  let nodes: ControlPlaneNode[];
  beforeAll(async () => {
    lab = await startLab({ nodes: 3 });
    nodes = await Promise.all(
      lab
        .access()
        .machines.map(
          async ({ name, address, port, user, privateKey, knownHosts }) =>
            readControlPlaneNode(
              await connectMachine({
                name,
                address,
                port,
                user,
                privateKey,
                hostKeys: { mode: 'strict', knownHosts },
              }),
              signal,
            ),
        ),
    );
  });
  afterAll(async () => {
    await Promise.all((nodes ?? []).map(({ machine }) => machine.close()));
    await lab?.stop();
  });

  async function judge() {
    const members = await Promise.all(
      nodes.map(node => connectMember(node, { signal })),
    );
    try {
      return judgeMembers(
        await collectClusterFacts(
          members.map(member => ({ name: member.name, member })),
          signal,
        ),
      );
    } finally {
      await Promise.all(members.map(member => member.close()));
    }
  }

  async function insist(condition: () => Promise<boolean>) {
    for (let i = 0; i < 20 && !(await condition()); i++) {
      await sleep(250);
    }
  }

  it('leaves out a member that is cut off from the others', async () => {
    await lab.nodes[1].link.cutOff();
    await sleep(3000);
    const judged = await judge();
    await lab.nodes[1].link.rejoin();
    await insist(async () => (await judge()).fit.length === 3);
    expect(judged.fit).toHaveLength(2);
    expect(judged.fit).not.toContain('cp-2');
  });

  it('leaves out a member with other data', async () => {
    let judged = await judge();
    // On a busy machine etcd may write the page again after it was broken.
    for (let i = 0; i < 5 && judged.refusals.length === 0; i++) {
      await lab.nodes[2].etcd.breakData();
      judged = await judge();
    }
    expect(judged.fit).not.toContain('cp-3');
    expect(judged.refusals).toMatchObject([
      { member: 'cp-3', id: 'etcd-hash-differs' },
    ]);
  });

  it('leaves out a learner', async () => {
    await lab.nodes[2].etcd.becomeLearner();
    const judged = await judge();
    expect(judged.fit).toHaveLength(2);
    expect(judged.refusals).toMatchObject([
      { member: 'cp-3', id: 'etcd-learner' },
    ]);
  });
});
