import { createHash, generateKeyPairSync, KeyObject } from 'node:crypto';
import { Description, NodeFileHeader } from '..';
import { ArchiveSummary, createArchive } from '..';
import { collected, inPieces } from './streams';

export interface SampleFile {
  node: string;
  header: NodeFileHeader;
  content?: Buffer;
}

export interface Sample {
  description: Description;
  objects?: Buffer;
  files: SampleFile[];
  snapshot: Buffer;
}

export const signingKey: KeyObject = generateKeyPairSync('ed25519').privateKey;

export function sampleDescription(snapshotSize: number): Description {
  return {
    formatVersion: 1,
    cluster: {
      name: 'lab',
      layout: 'kubeadm',
      caFingerprint: 'ab'.repeat(32),
      kubeSystemUid: '9b4d1c32-0f5f-4a4c-8a0d-8f0c9c7b1a11',
    },
    createdAt: '2026-11-22T14:15:00.123Z',
    createdBy: { engine: '0.1.0' },
    versions: { kubernetes: 'v1.31.2', etcd: '3.5.16' },
    keys: {
      ssh: {
        secret: 'cluster-lab/ssh-key',
        fingerprint: `SHA256:${'k'.repeat(43)}`,
      },
      gcp: [
        {
          secret: 'anthos-creds/gke-connect',
          account: 'connect@x.iam.gserviceaccount.com',
          keyId: '0f3c',
        },
      ],
    },
    nodes: ['cp1', 'cp2'].map(name => ({
      name,
      address: '192.0.2.1',
      hostKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB',
      etcd: {
        name,
        peerUrls: ['https://192.0.2.1:2380'],
        clientUrls: ['https://192.0.2.1:2379'],
        dataDir: '/var/lib/etcd',
      },
    })),
    workers: [
      { name: 'w1', address: '192.0.2.9', hostKey: 'ssh-ed25519 AAAA' },
    ],
    snapshot: { member: 'cp2', size: snapshotSize },
    reservations: [
      {
        id: 'node-not-ready',
        title: 'Node not ready',
        message: 'w1 – says no',
      },
    ],
  };
}

export function fileHeader(
  path: string,
  size: number,
  more: Partial<NodeFileHeader> = {},
): NodeFileHeader {
  return {
    path,
    type: 'file',
    mode: 0o600,
    uid: 0,
    gid: 0,
    size,
    mtime: 1_700_000_000,
    ...more,
  };
}

/** What a snapshot ends with. */
export function withTrailer(content: Buffer): Buffer {
  const trailer = createHash('sha256').update(content).digest();
  return Buffer.concat([content, trailer]);
}

export function sample(content: Buffer): Sample {
  const snapshot = withTrailer(content);
  const key = Buffer.from('-----BEGIN PRIVATE KEY-----\n');
  return {
    description: sampleDescription(snapshot.length),
    files: [
      {
        node: 'cp1',
        header: fileHeader('/etc/kubernetes/pki', 0, {
          type: 'directory',
          mode: 0o755,
        }),
      },
      {
        node: 'cp1',
        header: fileHeader('/etc/kubernetes/pki/ca.key', key.length, {
          uid: 1000,
          gid: 2000,
        }),
        content: key,
      },
      {
        node: 'cp1',
        header: fileHeader('/var/lib/kubelet/pki/current.pem', 0, {
          type: 'symlink',
          mode: 0o777,
          linkname: '/var/lib/kubelet/pki/kubelet-client-2026.pem',
        }),
      },
      {
        node: 'cp2',
        header: fileHeader('/etc/kubernetes/empty', 0, { mode: 0o4711 }),
        content: Buffer.alloc(0),
      },
    ],
    snapshot,
  };
}

/** A whole archive in memory. */
export async function writeSample(
  { description, objects, files, snapshot }: Sample,
  recipients: string[],
  options: Partial<Parameters<typeof createArchive>[0]> = {},
): Promise<{ bytes: Buffer; summary: ArchiveSummary }> {
  const writer = createArchive({ recipients, signingKey, ...options });
  const write = async () => {
    await writer.description(description);
    if (objects) await writer.objects(objects);
    for (const { node, header, content } of files) {
      await writer.nodeFile(node, header, content && inPieces(content, 700));
    }
    await writer.snapshot(snapshot.length, inPieces(snapshot, 32 * 1024));
    return writer.finish({
      revision: 4711,
      snapshotSha256: createHash('sha256').update(snapshot).digest('hex'),
    });
  };
  const [bytes, summary] = await Promise.all([
    collected(writer.ciphertext),
    write(),
  ]);
  return { bytes, summary };
}
