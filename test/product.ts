import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ClusterMachines,
  GdcAccess,
  gdcSecrets,
  generateAgeKey,
  MachineAccess,
} from '@cluster-backup/engine';
import { Lab } from '@cluster-backup/lab';

/** The lab as a cluster that the product is configured for. */
export function clusterAccess(lab: Lab): ClusterMachines {
  const { clusterName, machines } = lab.access();
  const ofRole = (role: string): MachineAccess[] =>
    machines
      .filter(machine => machine.role === role)
      .map(({ name, address, port, user, privateKey, knownHosts }) => ({
        name,
        address,
        port,
        user,
        privateKey,
        hostKeys: { mode: 'strict', knownHosts },
      }));
  return {
    name: clusterName,
    layout: 'kubeadm',
    controlPlane: ofRole('control-plane'),
    workers: ofRole('worker'),
  };
}

/**
 * A lab of the flavor `gdc` as a cluster of which nothing but a kubeconfig is configured; without one, nothing but where
 * its Secrets are.
 */
export function gdcAccess(lab: Lab, kubeconfig?: string): GdcAccess {
  const { clusterName, namespace, sshPort, tokenUrl } = lab.gdc!;
  const knownHosts = lab
    .access()
    .machines.map(machine => machine.knownHosts)
    .join('');
  return {
    name: clusterName,
    layout: 'gdc',
    resource: { name: clusterName, namespace },
    kubeconfig,
    ssh: { port: sshPort, hostKeys: { mode: 'strict', knownHosts } },
    secrets: gdcSecrets(namespace),
    gcpTokenUrl: tokenUrl,
  };
}

/** Where {@link configure} has written what a person needs who runs our command or a portal. */
export interface Configured {
  /** `cluster-backup.yaml`, with a store in a folder `store` beside it. */
  file: string;
  recipient: string;
  identityFile: string;
}

/** What may be otherwise than with one cluster and one store. */
export interface Setup {
  /** The lab's cluster under several names. */
  names?: string[];
  /** A second store, in a folder `vault`. */
  vault?: boolean;
  /** Who logs in with what, instead of the lab's own key. */
  ssh?: { privateKeyFile: string; passphrase?: string };
  /** Of a GDC lab: a file that the portal reads the API server's credentials from. */
  kubeconfigFile?: string;
  /** Laid over the portal's own configuration. */
  overlay?: object;
}

/** Writes a configuration of the lab's cluster into a folder, as an operator would. */
export async function configure(
  lab: Lab,
  folder: string,
  setup: Setup = {},
): Promise<Configured> {
  const { names = [lab.access().clusterName], vault } = setup;
  const { identity, recipient } = await generateAgeKey();
  const identityFile = join(folder, 'identity.txt');
  await writeFile(identityFile, `${identity}\n`, { mode: 0o600 });
  const cluster = clusterAccess(lab);
  const ofMachine = ({ name, address, port, user }: MachineAccess) => ({
    name,
    address,
    port,
    user,
  });
  const access = join(lab.directory, 'access');
  const file = join(folder, 'cluster-backup.yaml');
  // JSON is YAML.
  await writeFile(
    file,
    JSON.stringify({
      clusterBackup: {
        recipients: [recipient],
        // Whole paths, as a portal takes others from its own folder.
        signingKeyFile: join(folder, 'signing-key.pem'),
        stores: [
          { id: 'local', filesystem: { path: join(folder, 'store') } },
          ...(vault
            ? [{ id: 'vault', filesystem: { path: join(folder, 'vault') } }]
            : []),
        ],
        clusters: names.map(name => ({
          name,
          ssh: {
            privateKeyFile: join(access, 'lab'),
            ...setup.ssh,
            port: lab.gdc?.sshPort,
            knownHostsFile: join(access, 'known_hosts'),
          },
          ...(lab.gdc
            ? {
                layout: 'gdc',
                namespace: lab.gdc.namespace,
                kubeconfigFile: setup.kubeconfigFile,
                gcpTokenUrl: lab.gdc.tokenUrl,
              }
            : {
                controlPlane: cluster.controlPlane.map(ofMachine),
                workers: cluster.workers.map(ofMachine),
              }),
        })),
      },
    }),
  );
  return { file, recipient, identityFile };
}
