import { Description, DescribedNode } from '../archive';
import { refuseInvalidAddress } from '../machine/address';
import { knownHostsName } from '../machine/knownHosts';
import { quoteForPeople as words } from '../machine/quote';
import { code, plain, shell } from './markdown';
import { RunbookBackup } from './RunbookFacts';

/** etcd's own recommendation: about a week of 1,500 writes a second (etcd, "Restoring with revision bump"). */
const BUMP = 1_000_000_000;
const MANIFESTS = '/etc/kubernetes/manifests';
const PARKED = '/etc/kubernetes/parked';
const RECEIVED = '/var/tmp/restored-member.tar';
const REPLACED = 'member.before-restore';
const STATUS = 'etcdutl snapshot status opened/etcd/snapshot.db';
const CONTROLLERS = ['kube-controller-manager', 'kube-scheduler'];

type Machine = Description['workers'][number];

interface ByHand {
  archive: RunbookBackup;
  description: Description;
}

/**
 * The steps of a restore with nothing of ours, in the order of the engine's own: what takes long comes before anything
 * stops, all API servers stop before any etcd does, all members are replaced before one starts (etcd, "Disaster
 * recovery").
 */
export function byHand({ archive, description }: ByHand): string[] {
  const { nodes, workers, versions, cluster } = description;
  const machines = [...nodes, ...workers];
  const all = named(nodes);
  const [first] = nodes;
  return [
    '## By hand',
    `With stock tools only, where the command cannot be used: an \`etcdutl\` of ${plain(
      minorOf(versions.etcd),
    )} on your own machine, the rest of it is there or comes with the distribution. Every step may be done again. Until step 8 nothing is lost: see “take it back”.`,

    step(1, 'your own machine', 'open the archive'),
    'In an empty folder that nobody else can read, with the archive and its keys in it:',
    shell(
      'umask 077',
      `${digestOf(archive)} &&`,
      `${opened(archive)} &&`,
      STATUS,
    ),
    'It says that the digest is `OK`, and the revision, which is the one of the table above. Stop where it does not.',

    step(2, 'your own machine', 'say how the machines are reached'),
    ...(cluster.layout === 'gdc'
      ? [
          'The SSH key is in the archive:',
          shell(
            'umask 077',
            `{ jq -r 'first(.items[] | select(.kind == "Secret" and .metadata.name == "ssh-key")).data.id_rsa' opened/cluster/objects.json | base64 -d; echo; } > ssh-key`,
          ),
        ]
      : []),
    shell(...sshFiles(machines)),
    'This prints the name of each machine:',
    shell(
      ...machines.map(
        ({ name }) => `ssh -F ssh_config ${words([name])} hostname`,
      ),
    ),

    step(3, 'your own machine', 'make a member for each node, and send it'),
    shell(...nodes.flatMap(node => memberFor(node, nodes))),
    `\`--initial-cluster-token\` keeps the new members from any old one that still runs. An \`etcdutl\` that does not know \`--bump-revision\` restores without it and \`--mark-compacted\`; then restart every controller and operator of the cluster after the restore.`,

    step(4, `${all}, as root`, 'unpack it beside the old one'),
    ...nodes.flatMap(node => [on(node), shell(...unpacked(node))]),
    `Nothing was stopped so far. A node whose ${code(
      '/etc/kubernetes',
    )} is gone needs its files first: see the last section.`,

    step(5, `${all}, as root`, 'stop the API server and its controllers'),
    `Everywhere, before the next step. Compare first: \`grep staticPodPath /var/lib/kubelet/config.yaml\` names ${code(
      MANIFESTS,
    )}.`,
    shell(
      `mkdir -p ${PARKED}`,
      ...parked('kube-apiserver', ...CONTROLLERS),
      ...gone('kube-apiserver', ...CONTROLLERS),
    ),
    'It ends when none of them runs any more. If it does not within two minutes, look at `journalctl -u kubelet`.',

    step(6, `${all}, as root`, 'stop etcd'),
    'Everywhere, before the next step; the leader last, if it is known:',
    shell(...parked('etcd'), closed(portsOf(nodes))),

    step(
      7,
      `${all}, as root`,
      'put the restored member in the place of the old',
    ),
    ...nodes.flatMap(node => [on(node), shell(...swapped(node))]),

    step(8, `${all}, as root`, 'start etcd'),
    'One node after the other, without waiting in between:',
    shell(...returned('etcd'), served()),
    'It ends when the member takes part in a quorum: the first one waits for the second.',

    step(9, `${all}, as root`, 'start the API server'),
    'From here on there is no way back to the old data.',
    shell(...returned('kube-apiserver')),
    'Then, when it answers:',
    shell(
      `until kubectl --kubeconfig /etc/kubernetes/admin.conf get --raw /readyz; do sleep 1; done`,
      ...returned(...CONTROLLERS),
    ),

    step(10, `${named(machines)}, as root`, 'restart the kubelets'),
    'They hold pods that the restored cluster may not know:',
    shell('systemctl restart kubelet'),

    step(11, `${code(first.name)}, as root`, 'look at it'),
    shell(
      'kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes',
      'kubectl --kubeconfig /etc/kubernetes/admin.conf get pods --all-namespaces',
    ),
    `Nodes are \`Ready\` within a minute. What was created after ${plain(
      description.createdAt,
    )} is unknown to the cluster: load balancers and volumes of that time are left over.`,

    step(12, `${all}, as root`, 'remove what was replaced'),
    'When all is well, and not before:',
    ...nodes.flatMap(node => [on(node), shell(...removed(node))]),

    step(13, 'your own machine', 'remove what was opened'),
    'It holds every key of the cluster:',
    shell('rm -rf opened members'),

    `### On ${all}, as root: take it back`,
    'As long as step 9 was done nowhere, on every node, after its etcd was stopped as in step 6:',
    ...nodes.flatMap(node => [on(node), shell(...takenBack(node))]),
    `Then on all of them:`,
    shell(
      ...returned('etcd'),
      served(),
      ...returned('kube-apiserver', ...CONTROLLERS),
    ),

    '### On your own machine: give a machine its files back',
    'They are in the archive, with owners and modes. For a machine at the same address as before, where the kubelet is stopped:',
    ...nodes.flatMap(node => [
      `For ${code(node.name)}:`,
      shell(...filesOf(node, archive)),
    ]),
  ];
}

function step(number: number, where: string, what: string): string {
  return `### ${number}. On ${where}: ${what}`;
}

function named(machines: Machine[]): string {
  return machines.map(({ name }) => code(name)).join(', ');
}

function on({ name }: Machine): string {
  return `On ${code(name)}:`;
}

function digestOf({ key, sha256 }: RunbookBackup): string {
  return `echo ${words([`${sha256}  ${fileOf(key)}`])} | sha256sum -c`;
}

function opened(archive: RunbookBackup): string {
  return `mkdir -p opened && ${plaintextOf(
    archive,
  )} | tar -xpf - --numeric-owner -C opened`;
}

/** The archive as a tar. */
function plaintextOf({ key, isEncrypted }: RunbookBackup): string {
  const file = words([fileOf(key)]);
  const unpack = /\.tar\.zst(\.age)?$/.test(key) ? 'zstd -dc' : 'gzip -dc';
  return isEncrypted
    ? `age -d -i identity.txt ${file} | ${unpack}`
    : `${unpack} ${file}`;
}

/** By root on the machine: nobody else can make files that belong to others. */
function filesOf({ name, user }: DescribedNode, archive: RunbookBackup) {
  const untar = `tar -C / --strip-components=2 --numeric-owner -xpf - ${words([
    `nodes/${name}`,
  ])}`;
  const asRoot = (user ?? 'root') === 'root' ? untar : `sudo ${untar}`;
  return [
    `${plaintextOf(archive)} |`,
    `  ssh -F ssh_config ${words([name, asRoot])}`,
  ];
}

function fileOf(key: string): string {
  return key.split('/').at(-1)!;
}

/** Two files, so that no other command has to name addresses, and no other host is trusted. */
function sshFiles(machines: Machine[]): string[] {
  for (const { name, address, port, user = 'root' } of machines) {
    refuseInvalidAddress({ name, address, port, user });
  }
  return [
    "cat > ssh_config <<'END'",
    ...machines.flatMap(({ name, address, port = 22, user = 'root' }) => [
      `Host ${name}`,
      `  HostName ${address}`,
      `  Port ${port}`,
      `  User ${user}`,
    ]),
    'Host *',
    '  IdentityFile ./ssh-key',
    '  IdentitiesOnly yes',
    '  UserKnownHostsFile ./known_hosts',
    '  StrictHostKeyChecking yes',
    'END',
    "cat > known_hosts <<'END'",
    ...machines.map(
      ({ address, port = 22, hostKey }) =>
        `${knownHostsName(address, port)} ${hostKey.replace(
          /[^\w+/=. -]/g,
          '',
        )}`,
    ),
    'END',
  ];
}

function memberFor({ name, etcd }: DescribedNode, nodes: DescribedNode[]) {
  const [peerUrl] = etcd.peerUrls;
  const cluster = nodes.map(
    node => `${node.etcd.name}=${node.etcd.peerUrls[0]}`,
  );
  const made = words([`members/${name}`]);
  return [
    `rm -rf ${made}`,
    [
      'etcdutl snapshot restore opened/etcd/snapshot.db',
      `--data-dir ${made}`,
      `--name ${words([etcd.name])}`,
      `--initial-advertise-peer-urls ${words([peerUrl])}`,
      `--initial-cluster ${words([cluster.join(',')])}`,
      '--initial-cluster-token restored-by-hand',
      `--bump-revision ${BUMP} --mark-compacted`,
    ].join(' \\\n  '),
    `tar -C ${made} -cf - member |`,
    `  ssh -F ssh_config ${words([name])} 'umask 077; cat > ${RECEIVED}'`,
  ];
}

function unpacked({ etcd: { dataDir } }: DescribedNode): string[] {
  return [
    words(['mkdir', '-p', '-m', '700', dataDir]),
    words(['cd', dataDir]),
    `if [ -e ${RECEIVED} ]; then`,
    '  rm -rf restored && mkdir restored &&',
    `  tar -C restored -xf ${RECEIVED} &&`,
    '  chown -R --reference=. restored && chmod -R go= restored &&',
    `  rm ${RECEIVED}`,
    'fi',
  ];
}

function swapped({ etcd: { dataDir } }: DescribedNode): string[] {
  return [
    words(['cd', dataDir]),
    'if [ -e restored/member ]; then',
    `  if [ -e member ]; then mv -T member ${REPLACED}; fi &&`,
    '  mv -T restored/member member && rmdir restored',
    'fi',
  ];
}

function takenBack({ etcd: { dataDir } }: DescribedNode): string[] {
  return [
    words(['cd', dataDir]),
    `if [ -e ${REPLACED} ]; then rm -rf member && mv -T ${REPLACED} member; fi`,
  ];
}

function removed({ etcd: { dataDir } }: DescribedNode): string[] {
  return [words(['rm', '-rf', `${dataDir}/${REPLACED}`]), `rmdir ${PARKED}`];
}

function parked(...pods: string[]): string[] {
  return moved(pods, MANIFESTS, PARKED);
}

function returned(...pods: string[]): string[] {
  return moved(pods, PARKED, MANIFESTS);
}

/** Out of the folder that the kubelet watches, or into it; what was moved already is left alone. */
function moved(pods: string[], from: string, to: string): string[] {
  return [
    `cd ${from}`,
    `for pod in ${pods.join(' ')}; do`,
    `  if [ -e $pod.yaml ]; then mv $pod.yaml ${to}/; fi`,
    'done',
  ];
}

function gone(...pods: string[]): string[] {
  return [
    `for pod in ${pods.join(' ')}; do`,
    '  while crictl ps -q --label io.kubernetes.container.name=$pod | grep .; do sleep 1; done',
    'done',
  ];
}

/** GDC's etcd for Events has a container of the same name, which goes on: etcd is told by its ports. */
function closed(ports: number[]): string {
  const filter = ports.map(port => `sport = :${port}`).join(' or ');
  return `while ss -Hltn '( ${filter} )' | grep .; do sleep 1; done`;
}

/** kubeadm lets etcd tell its health there, without a certificate (kubeadm, `listen-metrics-urls`). */
function served(): string {
  return `until curl -fsS http://127.0.0.1:2381/health; do sleep 1; done`;
}

function portsOf(nodes: DescribedNode[]): number[] {
  const urls = nodes.flatMap(({ etcd }) => [
    ...etcd.clientUrls,
    ...etcd.peerUrls,
  ]);
  const ports = urls
    .filter(url => URL.canParse(url))
    .map(url => Number(new URL(url).port));
  return distinct(ports).sort((a, b) => a - b);
}

function distinct<T>(all: T[]): T[] {
  return [...new Set(all)];
}

function minorOf(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}
