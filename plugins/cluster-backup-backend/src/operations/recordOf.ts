import { archiveForm, ArchiveSummary } from '@cluster-backup/engine';

/** What is recorded of a backup: all of it is in its name and in the signed summary beside its archive. */
export function recordOf(key: string, summary: ArchiveSummary) {
  const { description, facts, ciphertext, signer } = summary;
  const { layout, type, managedBy } = description.cluster;
  return {
    key,
    createdAt: description.createdAt,
    isEncrypted: archiveForm(key)!.encrypted,
    size: ciphertext.size,
    snapshotSize: description.snapshot.size,
    revision: facts.revision,
    member: description.snapshot.member,
    versions: description.versions,
    gdc: layout === 'gdc' ? { type, managedBy } : undefined,
    nodes: description.nodes.map(({ name }) => name),
    sha256: ciphertext.sha256,
    signer,
    reservations: description.reservations,
    isBeforeRestore: description.occasion === 'before-restore',
  };
}
