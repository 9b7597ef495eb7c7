import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Lab, LabNode, startLab } from '@cluster-backup/lab';
import { Operation } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { parse, stringify } from 'yaml';
import { fileKeyOf } from '../portal/fileKey';
import { followOperation } from '../portal/followOperation';
import { signInAsGuest } from '../portal/guest';
import { LabPortal, startPortal } from '../portal/startPortal';
import { Canary, Traces } from './traces';

jest.setTimeout(180_000);

const PASSPHRASE = `canary-${randomBytes(16).toString('hex')}`;
const TOKEN = `canary-${randomBytes(16).toString('hex')}`;
const IN_ETCD = `canary-${randomBytes(16).toString('hex')}`;

/** Keys of a control-plane node that are the cluster's. */
const NODE_KEYS = ['ca.key', 'sa.key', 'front-proxy-ca.key', 'etcd/ca.key'];
const ENCRYPTION = '/etc/kubernetes/encryption/config.yaml';

/**
 * Files of a machine, but for what the cluster itself keeps there: data of etcd, and what a restore replaced, which is
 * kept whole for its owner to accept.
 */
const FILES_OF_A_MACHINE = [
  ...['find', '/etc/kubernetes', '/var/lib/cluster-backup', '/var/lib/etcd'],
  ...['/var/lib/etcd-events', '/var/lib/kubelet', '-type', 'd'],
  ...['(', '-name', 'member', '-o', '-name', 'kept*', ')', '-prune'],
  ...['-o', '-type', 'f', '-print0'],
];

let folder: string;
let lab: Lab;
let started: LabPortal;
/** Everything that the portal has answered. */
const answers: Array<{ url: string; body: Promise<Buffer> }> = [];
const ownFetch = globalThis.fetch;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'canary-'));
  lab = await startLab({ flavor: 'gdc', nodes: 1 });
  globalThis.fetch = async (input, init) => {
    const response = await ownFetch(input, init);
    const body = response.clone().arrayBuffer().then(Buffer.from);
    // Awaited when everything is over; one that was cut is no defect before.
    body.catch(() => {});
    answers.push({ url: String(input), body });
    return response;
  };
});

afterAll(async () => {
  globalThis.fetch = ownFetch;
  await started?.portal.stop();
  await lab?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

it('leaves no secret in any log, event, row, answer, file, argument or environment, whatever is done', async () => {
  const [node] = lab.nodes;
  const kubeconfig = parse(await lab.kubeconfig());
  kubeconfig.users.push({ name: 'other', user: { token: TOKEN } });
  const given = await mkdirs('given', 'tmp', 'work');
  const privateKeyFile = join(given, 'ssh');
  await copyFile(join(lab.directory, 'access/lab'), privateKeyFile);
  const ownKey = await readFile(privateKeyFile, 'utf8');
  const withPassphrase = ['-p', '-q', '-P', '', '-N', PASSPHRASE];
  execFileSync('ssh-keygen', [...withPassphrase, '-f', privateKeyFile]);
  const kubeconfigFile = join(given, 'kubeconfig');
  await writeFile(kubeconfigFile, stringify(kubeconfig), { mode: 0o600 });

  const api = apiOf(await lab.kubeconfig());
  await api.createNamespacedSecret({
    namespace: 'default',
    body: { metadata: { name: 'canary' }, stringData: { canary: IN_ETCD } },
  });

  const ofTheCluster = new Set(await filesOn(node));
  started = await withEnvironment(
    { TMPDIR: join(folder, 'tmp'), LOG_LEVEL: 'debug' },
    () =>
      startPortal(lab, folder, {
        kubeconfigFile,
        ssh: { privateKeyFile, passphrase: PASSPHRASE },
        // Every audit event stands in the log, whatever its severity.
        overlay: {
          backend: {
            auditor: {
              severityLogLevelMappings: {
                low: 'info',
                medium: 'info',
                high: 'info',
                critical: 'info',
              },
            },
          },
        },
      }),
  );
  const { url, clusterRef, configured, logFile } = started;
  const guest = await signInAsGuest(url);
  const ended = (operation: Operation) =>
    followOperation(guest.api, operation.id, () => {});

  const processes = watchProcesses();
  expect(await ended(await guest.api.startCheck(clusterRef))).toMatchObject({
    status: 'succeeded',
  });
  const { backupId: id } = await ended(await guest.api.startBackup(clusterRef));
  const identity = (await readFile(configured.identityFile, 'utf8')).trim();
  const fileKey = await fileKeyOf(
    await guest.api.getBackupHeader(id!),
    identity,
  );
  const wrongKey = randomBytes(16).toString('base64');
  const restore = (key: string) =>
    guest.api.startRestore(clusterRef, {
      backupId: id!,
      confirmation: lab.access().clusterName,
      fileKey: key,
    });

  // What a person may do wrong with a key.
  const misplaced = [
    JSON.stringify({ backupId: id, confirmation: 'lab', fileKey: identity }),
    JSON.stringify({ backupId: id, confirmation: 'x', file_key: fileKey }),
    JSON.stringify({ backupId: id, confirmation: 'x', fileKey: [fileKey] }),
    `{"backupId":"${id}","fileKey":"${fileKey}`,
    `${fileKey}`,
  ];
  for (const body of misplaced) {
    const answer = await guest.fetch(
      `${url}/api/cluster-backup/clusters/by-entity/${clusterRef.replace(
        ':',
        '/',
      )}/restores`,
      { method: 'POST', headers: { 'Content-Type': 'application/json' }, body },
    );
    expect(answer.status).toBe(400);
  }
  expect(await ended(await restore(wrongKey))).toMatchObject({
    status: 'failed',
    fault: { code: 'archive-wrong-key' },
  });
  const compared = await guest.api.compareObjects(id!, { fileKey });
  expect(compared.differing).toEqual([]);
  expect(await ended(await restore(fileKey))).toMatchObject({
    status: 'succeeded',
  });
  const known = answers.length;
  const minted = parse((await guest.api.mintKubeconfig(clusterRef)).kubeconfig);
  // The one answer that is asked for because of what it holds.
  answers.splice(known, 1);
  const seen = await processes.stop();
  await started.portal.stop();

  const gcpKeys = await gcpKeysIn(api);
  expect(gcpKeys.length).toBeGreaterThan(2);
  const credentials = kubeconfig.users[0].user;
  const traces = new Traces([
    { name: 'SSH key', secret: ownKey },
    { name: 'SSH key, encrypted', secret: await readFile(privateKeyFile) },
    { name: 'passphrase', secret: PASSPHRASE },
    { name: 'token', secret: TOKEN },
    { name: 'Secret in etcd', secret: IN_ETCD },
    { name: 'kubeconfig key', secret: decoded(credentials['client-key-data']) },
    {
      name: 'minted key',
      secret: decoded(minted.users[0].user['client-key-data']),
    },
    {
      name: 'minted certificate',
      secret: decoded(minted.users[0].user['client-certificate-data']),
    },
    ...gcpKeys,
    ...(await Promise.all(
      NODE_KEYS.map(async name => ({
        name,
        secret: await node.readFile(`/etc/kubernetes/pki/${name}`),
      })),
    )),
    {
      name: 'encryption key',
      secret: parse(await node.readFile(ENCRYPTION)).resources[0].providers[0]
        .aescbc.keys[0].secret,
    },
    { name: 'identity', secret: identity },
    { name: 'file key', secret: fileKey },
    { name: 'file key, its bytes', secret: Buffer.from(fileKey, 'base64') },
    { name: 'wrong file key', secret: wrongKey },
    {
      name: 'signing key',
      secret: await readFile(join(folder, 'signing-key.pem')),
    },
  ]);

  const places = new Map<string, Buffer>([
    ['arguments and environments of processes', seen],
  ]);
  for (const { url: from, body } of answers) {
    places.set(`${from} #${places.size}`, await body);
  }
  for (const file of await filesIn(folder)) {
    places.set(relative(folder, file), await readFile(file));
  }
  const left = (await filesOn(node)).filter(file => !ofTheCluster.has(file));
  for (const file of left) {
    places.set(`${node.name}:${file}`, await readFile(node.path(file)));
  }

  // What is given to the portal, and nobody else, is where it was given.
  const isGiven = (place: string) =>
    /^(given\/|identity\.txt$|signing-key\.pem$|cluster-backup\.yaml$)/.test(
      place,
    );
  const told = [...places]
    .filter(([place]) => !isGiven(place))
    .flatMap(([place, bytes]) =>
      traces.in(bytes).map(name => `${name} in ${place}`),
    );
  expect(told).toEqual([]);

  // They are found where they are, and all places were there to be looked at.
  const log = await readFile(logFile, 'utf8');
  expect(log).toMatch(/isAuditEvent|kubeconfig-mint/);
  expect(traces.in(await readFile(kubeconfigFile))).toEqual(
    expect.arrayContaining(['token', 'kubeconfig key']),
  );
  expect([...places.keys()].join('\n')).toMatch(/database\/.*sqlite/);
  expect([...places.keys()].join('\n')).toMatch(/store\/.*\.age/);
  expect(seen.toString('latin1')).toContain('engineProcess');
  expect(left.join('\n')).toContain('/var/lib/cluster-backup/');
});

async function mkdirs(...names: string[]): Promise<string> {
  for (const name of names) await mkdir(join(folder, name));
  return join(folder, names[0]);
}

function apiOf(kubeconfig: string): CoreV1Api {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  return config.makeApiClient(CoreV1Api);
}

/** For a process that is started meanwhile. */
async function withEnvironment<T>(
  variables: Record<string, string>,
  act: () => Promise<T>,
): Promise<T> {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  try {
    return await act();
  } finally {
    for (const name of Object.keys(variables)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}

function decoded(text: string): Buffer {
  return Buffer.from(text, 'base64');
}

async function gcpKeysIn(api: CoreV1Api): Promise<Canary[]> {
  const { items } = await api.listNamespacedSecret({
    namespace: 'anthos-creds',
  });
  return items.flatMap(({ metadata, data = {} }) =>
    Object.values(data).flatMap(encoded => {
      const text = decoded(encoded).toString();
      const key = /"private_key":\s*("(?:[^"\\]|\\.)*")/.exec(text)?.[1];
      return key
        ? [{ name: `GCP key ${metadata!.name}`, secret: JSON.parse(key) }]
        : [];
    }),
  );
}

/** What anybody on this machine could read of processes, those of its labs included. */
function watchProcesses() {
  const seen = new Set<string>();
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      for (const pid of await readdir('/proc')) {
        if (!/^\d+$/.test(pid) || pid === String(process.pid)) continue;
        for (const what of ['cmdline', 'environ']) {
          // It may have ended in the meantime.
          const text = await readFile(`/proc/${pid}/${what}`, 'latin1').catch(
            () => '',
          );
          seen.add(text);
        }
      }
      await new Promise(resolve => setTimeout(resolve, 300));
    }
  })();
  return {
    async stop() {
      isOver = true;
      await watching;
      return Buffer.from([...seen].join('\n'), 'latin1');
    },
  };
}

async function filesOn(node: LabNode): Promise<string[]> {
  // One of the folders is not there yet.
  const { stdout } = await node.exec(FILES_OF_A_MACHINE, { accept: [0, 1] });
  return stdout.split('\0').slice(0, -1);
}

async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, {
    recursive: true,
    withFileTypes: true,
  });
  return entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name));
}
