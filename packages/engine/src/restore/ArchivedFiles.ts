import { pack } from 'tar-stream';
import { NodeFileHeader } from '../archive';
import { archiveAltered } from '../archive/archiveErrors';
import { ArchivedFile } from '../layout';

/** As much as a backup captures of a node ({@link captureFiles}). */
const MAX_BYTES = 64 << 20;

/** The files of the nodes in an archive, while it passes: in memory only, and wiped at the end. */
export class ArchivedFiles {
  private readonly byNode = new Map<string, ArchivedFile[]>();
  private readonly sizes = new Map<string, number>();

  async take(
    node: string,
    header: NodeFileHeader,
    content: AsyncIterable<Buffer>,
  ): Promise<void> {
    const size = (this.sizes.get(node) ?? 0) + header.size;
    if (size > MAX_BYTES) {
      throw archiveAltered(
        `The archive has more than ${
          MAX_BYTES >> 20
        } MiB of files of ${node}, which no backup has.`,
      );
    }
    this.sizes.set(node, size);
    const chunks: Buffer[] = [];
    for await (const chunk of content) chunks.push(chunk);
    const files = this.byNode.get(node) ?? [];
    files.push({ header, content: Buffer.concat(chunks) });
    this.byNode.set(node, files);
  }

  of(node: string): readonly ArchivedFile[] {
    return this.byNode.get(node) ?? [];
  }

  /** There are private keys among them. */
  wipe() {
    for (const files of this.byNode.values()) {
      for (const { content } of files) content.fill(0);
    }
    this.byNode.clear();
  }
}

/** Of the machine, not of the cluster: whoever sets a machine up brings these. */
const OF_THE_MACHINE = [
  '/etc/cni',
  '/etc/containerd',
  '/etc/default',
  '/etc/sysconfig',
  '/etc/systemd',
  '/usr',
];

const OF_THE_KUBELET = [
  '/etc/kubernetes/bootstrap-kubelet.conf',
  '/etc/kubernetes/kubelet.conf',
  '/var/lib/kubelet',
];

/** Which of a node's files are put back. The kubelet rotates its own, so that what is there is newer where it serves. */
export function filesToPutBack(
  files: readonly ArchivedFile[],
  { kubelet }: { kubelet: boolean },
): ArchivedFile[] {
  const passedOver = [...OF_THE_MACHINE, ...(kubelet ? [] : OF_THE_KUBELET)];
  return files.filter(({ header: { path } }) =>
    passedOver.every(other => path !== other && !path.startsWith(`${other}/`)),
  );
}

/** Files as a tar that is unpacked below a folder. */
export function tarOf(
  files: readonly ArchivedFile[],
): AsyncIterable<Uint8Array> {
  const tar = pack();
  for (const { header, content } of files) {
    const { path, type, mode, uid, gid, mtime, linkname } = header;
    tar.entry(
      {
        ...{ name: path.slice(1), type, mode, uid, gid, linkname },
        mtime: new Date(mtime * 1000),
      },
      content,
    );
  }
  tar.finalize();
  return tar as AsyncIterable<Buffer>;
}
