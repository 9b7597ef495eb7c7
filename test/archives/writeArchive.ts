import { createHash, KeyObject, randomBytes } from 'node:crypto';
import {
  ArchiveSummary,
  createArchive,
  Description,
  Packing,
} from '@cluster-backup/engine';
import { bytes, inPieces } from './bytes';

/** An archive in memory. */
export interface Written {
  bytes: Buffer;
  summary: ArchiveSummary;
}

/** Writes a small archive of a cluster that is nowhere. */
export async function writeArchive(
  options: Packing & { signingKey: KeyObject },
  createdAt = '2026-11-22T14:15:00.123Z',
): Promise<Written> {
  const content = randomBytes(20_000);
  const trailer = createHash('sha256').update(content).digest();
  const snapshot = Buffer.concat([content, trailer]);
  const writer = createArchive(options);
  const write = async () => {
    await writer.description(describe(snapshot.length, createdAt));
    await writer.snapshot(snapshot.length, inPieces(snapshot));
    const snapshotSha256 = createHash('sha256').update(snapshot).digest('hex');
    return writer.finish({ revision: 1, snapshotSha256 });
  };
  const [written, summary] = await Promise.all([
    bytes(writer.ciphertext),
    write(),
  ]);
  return { bytes: written, summary };
}

function describe(size: number, createdAt: string): Description {
  const machine = {
    name: 'cp-1',
    address: '192.0.2.1',
    hostKey: 'ssh-ed25519 AAAA',
  };
  return {
    formatVersion: 1,
    cluster: { name: 'lab', layout: 'kubeadm', caFingerprint: 'ab'.repeat(32) },
    createdAt,
    createdBy: { engine: '0.1.0' },
    versions: { etcd: '3.5.16' },
    nodes: [
      {
        ...machine,
        etcd: {
          name: 'cp-1',
          peerUrls: ['https://192.0.2.1:2380'],
          clientUrls: ['https://192.0.2.1:2379'],
          dataDir: '/var/lib/etcd',
        },
      },
    ],
    workers: [],
    snapshot: { member: 'cp-1', size },
    reservations: [],
  };
}
