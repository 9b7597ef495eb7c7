import { ArchiveSummary } from '@cluster-backup/engine';
import { ArchiveOptions, namedSummary } from '../archiveSource';
import { configurationFor } from '../clusterOptions';
import { conclude, mib, OutputOptions } from '../terminal';

/** Tells what the summary beside an archive says of it; takes no key. */
export function show(
  options: ArchiveOptions & OutputOptions & { config?: string },
) {
  return conclude(options, async () => {
    const configuration = configurationFor(options);
    const { summary, trustedSigners } = await namedSummary(
      configuration,
      options,
    );
    const signerTrusted = trustedSigners.includes(summary.signer);
    return {
      words: inWords(summary, signerTrusted),
      facts: { summary, signerTrusted },
    };
  });
}

function inWords(summary: ArchiveSummary, signerTrusted: boolean): string {
  const { description, facts, ciphertext, signer } = summary;
  const { cluster, versions, nodes, workers, reservations } = description;
  const machine = ({ name, address, port, user }: (typeof workers)[number]) =>
    `  ${name}: ${user ?? 'root'}@${address}${port ? ` port ${port}` : ''}`;
  const lines = [
    `Cluster        ${cluster.name}, ${cluster.type ?? cluster.layout}`,
    `Backed up      ${description.createdAt}, of member ${description.snapshot.member}`,
    `Revision       ${facts.revision}`,
    `Size           ${mib(ciphertext.size)}, ${mib(
      description.snapshot.size,
    )} of etcd in it`,
    `Versions       etcd ${versions.etcd}${
      versions.kubernetes ? `, Kubernetes ${versions.kubernetes}` : ''
    }${versions.gdc ? `, GDC ${versions.gdc}` : ''}`,
    `SHA-256        ${ciphertext.sha256}`,
    `Signed by      ${signer}${
      signerTrusted ? '' : ', who is not trusted here'
    }`,
    `Authority      ${cluster.caFingerprint}`,
    'Control plane',
    ...nodes.map(machine),
    ...(workers.length ? ['Workers', ...workers.map(machine)] : []),
    ...(reservations.length ? ['Reservations'] : []),
    ...reservations.map(
      ({ machine: where, message }) =>
        `  ${where ? `${where}: ` : ''}${message}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}
