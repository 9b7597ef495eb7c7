import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundlePath } from './bundle';
import { Lab } from './Lab';
import { ExecResult, LabNode } from './LabNode';
import { makeSeed } from './seed';
import { startLab } from './startLab';
import { running, ssh, sshArguments, until } from './__testUtils__/machines';

const scratch = mkdtempSync(join(tmpdir(), 'lab-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function pod(name: string, command: string[]): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'kube-system' },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name, image: 'registry.k8s.io/etcd:3.5.16-0', command }],
    },
  });
}

describe('a lab of one node', () => {
  let lab: Lab;
  let node: LabNode;

  beforeAll(async () => {
    lab = await startLab({ links: true, etcdDisk: { sizeMiB: 160 } });
    [node] = lab.nodes;
  });
  afterAll(() => lab?.stop());

  it('lets root in by key and shows the tree that kubeadm makes', async () => {
    const { stdout } = await ssh(
      node,
      'hostname; id -un; cd /etc/kubernetes; stat -c "%a %U %n" *.conf manifests/* pki/ca.key pki/etcd/server.key /var/lib/etcd; readlink /var/lib/kubelet/pki/kubelet-client-current.pem; command -v etcdctl || echo none',
    );
    expect(stdout.replace(/\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d/, 'DATE')).toBe(
      [
        'cp-1',
        'root',
        '600 root admin.conf',
        '600 root controller-manager.conf',
        '600 root kubelet.conf',
        '600 root scheduler.conf',
        '600 root super-admin.conf',
        '600 root manifests/etcd.yaml',
        '600 root manifests/kube-apiserver.yaml',
        '600 root manifests/kube-controller-manager.yaml',
        '600 root manifests/kube-scheduler.yaml',
        '600 root pki/ca.key',
        '600 root pki/etcd/server.key',
        '700 root /var/lib/etcd',
        '/var/lib/kubelet/pki/kubelet-client-DATE.pem',
        'none',
        '',
      ].join('\n'),
    );
    await node.exec(['mountpoint', '/var/lib/etcd']);
  });

  it('carries many bytes unharmed', async () => {
    const { stdout } = await ssh(
      node,
      'head -c 50000000 /dev/zero | tr "\\0" x | sha256sum',
    );
    const client = spawn(
      'bash',
      [
        '-c',
        'ssh "$@" | sha256sum',
        'bash',
        ...sshArguments(node),
        'head -c 50000000 /dev/zero | tr "\\0" x',
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let sum = '';
    client.stdout.on('data', chunk => {
      sum += chunk;
    });
    await once(client, 'close');
    expect(sum).toBe(stdout);
  });

  it('offers the tools of a node', async () => {
    const containers = JSON.parse(
      (await ssh(node, 'crictl ps --name etcd -o json')).stdout,
    ).containers;
    expect(containers).toMatchObject([
      {
        metadata: { name: 'etcd' },
        state: 'CONTAINER_RUNNING',
        labels: {
          'io.kubernetes.container.name': 'etcd',
          'io.kubernetes.pod.name': 'etcd-cp-1',
          'io.kubernetes.pod.namespace': 'kube-system',
        },
      },
    ]);
    const [{ id }] = containers;
    const inspected = JSON.parse(
      (await ssh(node, `crictl inspect ${id}`)).stdout,
    );
    expect(inspected.status.state).toBe('CONTAINER_RUNNING');
    const program = await ssh(
      node,
      `cat /proc/${inspected.info.pid}/comm; /proc/${inspected.info.pid}/root/usr/local/bin/etcdutl version | head -1`,
    );
    expect(program.stdout).toMatch(/^etcd\netcdutl version: 3\./);

    const mounting = await ssh(
      node,
      'd=$(mktemp -d); i=$(ctr -n k8s.io images ls -q | grep /etcd:); ctr -n k8s.io images mount $i $d; ls $d/usr/local/bin; touch $d/x; ctr -n k8s.io images unmount --rm $d; ls $d',
    );
    expect(mounting.stdout).toMatch(
      /^(\/tmp\/\S+)\netcd\netcdctl\netcdutl\n\1\n$/,
    );
    expect(mounting.stderr).toContain('Read-only file system');
    expect(
      await ssh(node, 'ctr -n k8s.io images mount nope /mnt'),
    ).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ctr: image "nope": not found'),
    });

    expect(await ssh(node, 'systemctl is-active kubelet')).toMatchObject({
      code: 0,
      stdout: 'active\n',
    });
    expect(await ssh(node, 'systemctl restart nope')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('Unit nope.service not found.'),
    });
    expect(
      (await ssh(node, 'systemctl show -p LoadState,ActiveState nope')).stdout,
    ).toBe('LoadState=not-found\nActiveState=inactive\n');
  });

  it('runs static pods by the rules of the kubelet', async () => {
    const folder = '/etc/kubernetes/manifests';
    const patient = pod('patient', ['sleep', '1000']);
    await node.writeFile(`${folder}/patient.yaml.bak`, patient);
    await node.writeFile(
      `${folder}/.hidden.yaml`,
      pod('hidden', ['sleep', '1']),
    );
    await until(
      'a .bak runs',
      async () => (await running(node, 'patient')).length === 1,
    );
    expect(await running(node, 'hidden')).toEqual([]);
    const [first] = await running(node, 'patient');

    await node.exec(['crictl', 'stop', first]);
    await until('a stopped one is started again', async () => {
      const [now] = await running(node, 'patient');
      return now !== undefined && now !== first;
    });
    const [second] = await running(node, 'patient');

    await node.exec(['mv', `${folder}/patient.yaml.bak`, '/root/']);
    await until(
      'a removed one ends',
      async () => (await running(node, 'patient')).length === 0,
    );
    await node.exec(['mv', '/root/patient.yaml.bak', folder]);
    await until('the same again is a new one', async () => {
      const [now] = await running(node, 'patient');
      return now !== undefined && now !== second;
    });

    await node.exec(['systemctl', 'stop', 'kubelet']);
    expect(await ssh(node, 'systemctl is-active kubelet')).toMatchObject({
      code: 3,
      stdout: 'inactive\n',
    });
    const [third] = await running(node, 'patient');
    await node.exec(['rm', `${folder}/patient.yaml.bak`]);
    await node.writeFile(`${folder}/late.yaml`, pod('late', ['sleep', '1000']));
    await sleep(500);
    expect(await running(node, 'patient')).toEqual([third]);
    expect(await running(node, 'late')).toEqual([]);

    await node.exec(['systemctl', 'start', 'kubelet']);
    await until('what was missed is made up for', async () => {
      const [patients, lates] = [
        await running(node, 'patient'),
        await running(node, 'late'),
      ];
      return patients.length === 0 && lates.length === 1;
    });

    await node.writeFile(
      `${folder}/late.yaml`,
      pod('late', ['sh', '-c', 'trap "" TERM; while :; do sleep 1; done']),
    );
    const deaf = async () =>
      (await node.exec(['pgrep', '-f', 'trap "" TERM'], { accept: 'any' }))
        .stdout;
    await until('a changed one is replaced', async () => (await deaf()) !== '');
    await node.exec(['rm', `${folder}/late.yaml`]);
    await until(
      'one that does not listen is killed',
      async () => (await deaf()) === '',
    );
  });

  it('serves the API on the node and at the front', async () => {
    for (const port of [lab.front.port]) {
      await until('the front answers', () => accepts(port));
    }
    expect(await lab.kubeconfig()).toContain(`127.0.0.1:${lab.front.port}`);
    await until('the kubelet keeps its lease', async () =>
      (
        await node.etcdctl([
          ...['get', '--keys-only', '--prefix'],
          '/registry/leases/kube-node-lease/',
        ])
      ).stdout.includes('cp-1'),
    );
  });

  it('freezes, thaws and cuts a link', async () => {
    const client = spawn('ssh', [...sshArguments(node), 'cat'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    let heard = '';
    client.stdout.on('data', chunk => {
      heard += chunk;
    });
    const ended = once(client, 'exit');
    client.stdin.write('one');
    await until('an echo', async () => heard === 'one');
    await node.link.freeze();
    client.stdin.write('two');
    await sleep(300);
    expect(heard).toBe('one');
    await node.link.restore();
    await until('the rest', async () => heard === 'onetwo');
    await node.link.cut();
    expect((await ended)[0]).toBe(255);
    expect((await ssh(node, 'true')).stderr).toContain('Connection refused');
    await node.link.slow({ rttMs: 200 });
    const before = Date.now();
    expect((await ssh(node, 'true')).code).toBe(0);
    expect(Date.now() - before).toBeGreaterThan(1000);
    await node.link.restore();
  });

  it('pulls the levers of login', async () => {
    const key = await node.login.rotateClientKey();
    expect((await ssh(node, 'true')).stderr).toContain('Permission denied');
    expect((await ssh(node, 'true', key)).code).toBe(0);
    await node.login.rotateHostKey();
    expect((await ssh(node, 'true', key)).stderr).toContain(
      'REMOTE HOST IDENTIFICATION HAS CHANGED',
    );
    await node.login.stopSsh();
    expect((await ssh(node, 'true', key)).stderr).toContain(
      'Connection refused',
    );
    await node.login.startSsh();
    expect((await ssh(node, 'true', key)).stderr).toContain('CHANGED');
  });

  it('pulls the levers of the system', async () => {
    await node.system.makeUnwritable('/etc/kubernetes');
    const touched = await node.exec(['touch', '/etc/kubernetes/x'], {
      accept: 'any',
    });
    expect(touched.stderr).toContain('Read-only file system');
    await node.system.makeWritable('/etc/kubernetes');
    await node.exec(['touch', '/etc/kubernetes/x']);

    await node.system.hideTool('crictl');
    await node.system.hideTool('gzip');
    const shell = (name: string) =>
      node.exec(['bash', '-c', `${name} --version`], { accept: 'any' });
    expect((await shell('crictl')).code).toBe(127);
    expect((await shell('gzip')).code).toBe(127);
    await node.system.showTool('gzip');
    await node.system.showTool('crictl');
    expect((await shell('crictl')).code).toBe(0);
    expect((await shell('gzip')).code).toBe(0);

    const skewed = async () =>
      Number((await node.exec(['date', '+%s'])).stdout) - Date.now() / 1000;
    await node.system.skewClock(-300);
    expect(await skewed()).toBeLessThan(-290);
    await node.system.setClockRight();
    expect(await skewed()).toBeGreaterThan(-10);

    await node.system.fillDisk();
    const { stdout } = await node.exec([
      'df',
      '--output=avail',
      '/var/lib/etcd',
    ]);
    expect(stdout.split('\n')[1].trim()).toBe('0');
    await node.system.freeDisk();
  });

  it('is upgraded, its kubelet apart', async () => {
    const kubernetesVersion = 'v1.32.5';
    const kubelet = async () =>
      (
        await node.etcdctl([
          'get',
          '--print-value-only',
          '/registry/minions/cp-1',
        ])
      ).stdout.match(/v1\.3\d\.\d+/)?.[0];
    await node.upgrade({ kubernetesVersion });
    const { stdout } = await node.exec([
      ...['curl', '-sk', `https://${node.internalAddress}:6443/version`],
    ]);
    expect(JSON.parse(stdout).gitVersion).toBe(kubernetesVersion);
    expect(await kubelet()).toBe('v1.31.4');
    await node.upgradeKubelet({ kubernetesVersion });
    await until(
      'the Node tells so',
      async () => (await kubelet()) === kubernetesVersion,
    );
  });

  it('raises alarms that etcd heeds', async () => {
    await node.etcd.raiseAlarm('NOSPACE');
    expect(
      (await node.etcdctl(['put', '/x', 'y'], { accept: [1] })).stderr,
    ).toContain('mvcc: database space exceeded');
    await node.etcdctl(['alarm', 'disarm']);
    await node.etcdctl(['put', '/x', 'y']);
  });
});

describe('a lab of three nodes and a worker', () => {
  let lab: Lab;

  beforeAll(async () => {
    const directory = join(scratch, 'seed');
    const { snapshotPath } = await makeSeed({ sizeMiB: 8, directory });
    lab = await startLab({
      nodes: 3,
      workers: 1,
      login: 'sudo',
      seed: snapshotPath,
    });
  });
  afterAll(() => lab?.stop());

  it('is one cluster', async () => {
    const { stdout } = await lab.nodes[0].etcdctl([
      ...['endpoint', 'status', '--cluster', '-w', 'json'],
    ]);
    const members: any[] = JSON.parse(stdout);
    expect(members).toHaveLength(3);
    const ids = members.map(({ Status }) => Status.header.cluster_id);
    expect(new Set(ids).size).toBe(1);
  });

  it('holds what it was seeded with', async () => {
    const { stdout } = await lab.nodes[2].etcdctl([
      ...['get', '--prefix', '--count-only', '-w', 'fields', '/registry/'],
    ]);
    expect(Number(/"Count" : (\d+)/.exec(stdout)?.[1])).toBeGreaterThan(100);
  });

  it('lets ops in, who may do everything through sudo until that is taken', async () => {
    const [node] = lab.nodes;
    expect(await ssh(node, 'id -un; sudo -n id -un')).toMatchObject({
      code: 0,
      stdout: 'ops\nroot\n',
    });
    expect((await ssh(node, 'crictl ps')).stderr).toContain(
      'permission denied',
    );
    expect((await ssh(node, 'sudo -n crictl ps -q')).stdout).not.toBe('');
    await node.login.forbidSudo();
    expect(await ssh(node, 'sudo -n true')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('a password is required'),
    });
    await node.login.allowSudo();
    expect((await ssh(node, 'sudo -n true')).code).toBe(0);
  });

  it('serves as a jump host, until forwarding is forbidden', async () => {
    const [first, second] = lab.nodes;
    const through = (): Promise<ExecResult> =>
      ssh(first, `exec 3<>/dev/tcp/${second.internalAddress}/22; head -1 <&3`);
    expect((await through()).stdout).toContain('SSH-2.0-OpenSSH');
    const forward = () =>
      new Promise<string>(resolve => {
        execFile(
          'ssh',
          [...['-W', `${second.internalAddress}:22`], ...sshArguments(first)],
          { timeout: 2000 },
          (_, stdout, stderr) => resolve(stdout + stderr),
        );
      });
    expect(await forward()).toContain('SSH-2.0-OpenSSH');
    await first.login.forbidForwarding();
    expect(await forward()).toContain('administratively prohibited');
    await first.login.allowForwarding();
  });

  it('lets a member lag and catch up', async () => {
    const [first, , third] = lab.nodes;
    await third.link.cutOff();
    await first.etcdctl(['put', '/while-away', '1'], { accept: 'any' });
    await until('the others go on', async () =>
      (
        await first.etcdctl(['get', '/while-away'], { accept: 'any' })
      ).stdout.includes('1'),
    );
    const local = ['get', '--consistency=s', '/while-away'];
    expect((await third.etcdctl(local)).stdout).toBe('');
    expect((await ssh(third, 'true')).code).toBe(0);
    await third.link.rejoin();
    await until('it caught up', async () =>
      (await third.etcdctl(local)).stdout.includes('1'),
    );
  });

  it('breaks the data of a member', async () => {
    const second = lab.nodes[1];
    await second.etcd.breakData();
    const { stdout } = await second.etcdctl([
      ...['endpoint', 'hashkv', '--cluster', '-w', 'json'],
    ]);
    const hashes = JSON.parse(stdout).map((one: any) => one.HashKV.hash);
    expect(new Set(hashes).size).toBe(2);
    const read = await second.etcdctl([
      'get',
      '--consistency=s',
      '/lab/broken',
    ]);
    expect(read.stdout).toContain('THE VALUE');
  });

  it('makes a learner of a member', async () => {
    const third = lab.nodes[2];
    await third.etcd.becomeLearner();
    const { stdout } = await lab.nodes[0].etcdctl(['member', 'list']);
    expect(stdout).toMatch(/started, cp-3, .*, true/);
  });

  it('freezes, kills and empties a member', async () => {
    const second = lab.nodes[1];
    await second.etcd.freeze();
    expect(await second.ask('etcdServes')).toBe(false);
    await second.etcd.thaw();
    expect(await second.ask('etcdServes')).toBe(true);

    const [before] = await running(second, 'etcd');
    await second.system.stopKubelet();
    await second.etcd.kill();
    await sleep(1500);
    expect(await running(second, 'etcd')).toEqual([]);
    expect(
      (await second.exec(['crictl', 'ps', '-a', '-q', '--state', 'exited']))
        .stdout,
    ).toContain(before);
    await second.exec(['rm', '-rf', '/var/lib/etcd/member']);
    await second.system.startKubelet();
    await until('a joiner without data fails again and again', async () => {
      const { stdout } = await second.exec([
        'crictl',
        'ps',
        '-a',
        '-o',
        'json',
      ]);
      const [newest] = JSON.parse(stdout).containers.filter(
        (container: any) => container.metadata.name === 'etcd',
      );
      return newest.metadata.attempt >= 3;
    });
    expect(await second.ask('etcdServes')).toBe(false);
  });

  it('freezes a whole machine', async () => {
    const [first] = lab.nodes;
    await first.system.freeze();
    const { stdout } = await first.exec(['ps', '-C', 'etcd', '-o', 'stat=']);
    expect(stdout).toMatch(/^T/);
    await first.system.thaw();
    await until('it goes on', async () => first.ask('etcdServes'));
  });

  it('loses power and gets it back', async () => {
    const [worker] = lab.workers;
    await worker.exec(['touch', '/root/kept', '/run/lost']);
    await worker.system.powerOff();
    expect((await ssh(worker, 'true')).stderr).toContain('Connection refused');
    await worker.system.powerOn();
    await until(
      'it is back',
      async () => (await ssh(worker, 'true')).code === 0,
    );
    await worker.exec([
      'test',
      '-e',
      '/root/kept',
      '-a',
      '!',
      '-e',
      '/run/lost',
    ]);
  });
});

describe('the end of a lab', () => {
  const processes = (directory: string) =>
    new Promise<string>(resolve => {
      execFile('pgrep', ['-f', directory], (_, stdout) => resolve(stdout));
    });

  it('leaves nothing behind when it is stopped', async () => {
    const lab = await startLab({ workers: 1 });
    const [node] = lab.nodes;
    await lab.stop();
    expect(existsSync(lab.directory)).toBe(false);
    expect(existsSync(`/proc/${node.pid}`)).toBe(false);
    expect(await processes(lab.directory)).toBe('');
    expect(await accepts(node.access().port)).toBe(false);
    expect(await accepts(lab.front.port)).toBe(false);
  });

  it('leaves nothing behind when the one that started it is killed', async () => {
    const parent = spawn(process.execPath, [bundlePath('cli.cjs')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    parent.stdout.on('data', chunk => {
      text += chunk;
    });
    await until('it is up', async () => text.includes('Ctrl-C'));
    const directory = /(\S*cluster-backup-lab-[^/\s]+)/.exec(text)![1];
    expect(existsSync(directory)).toBe(true);
    parent.kill('SIGKILL');
    await until('its directory is gone', async () => !existsSync(directory));
    expect(await processes(directory)).toBe('');
  });
});

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = createConnection(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
