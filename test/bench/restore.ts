import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { backupByHand, restoreByHand } from './byHand';
import { measured, Usage } from './measured';
import { medians, round } from './medians';
import { watchApi } from './outage';
import { inWorkplace, settle, Workplace } from './workplace';

type Restore = Usage & { outageSeconds: number };

/** What the outage at the wanted size is compared with. */
const SMALL_MIB = 100;

interface RestoreBench {
  sizeMiB: number;
  runs: number;
  tell: (line: string) => void;
}

/** Restores three nodes in turn, as the product does and as an operator would by hand. */
export async function benchRestore(options: RestoreBench) {
  const { sizeMiB, runs } = options;
  const small =
    sizeMiB > SMALL_MIB
      ? await restores({ ...options, sizeMiB: SMALL_MIB }, false)
      : undefined;
  const { ours, byHand } = await restores(options, true);
  return {
    bench: 'restore',
    sizeMiB,
    runs,
    ours,
    byHand,
    ratio: round(byHand!.seconds / ours.seconds),
    ...(small && {
      small: { sizeMiB: SMALL_MIB, ...small.ours },
      outageRatio: round(ours.outageSeconds / small.ours.outageSeconds),
    }),
  };
}

async function restores(
  { sizeMiB, runs, tell }: RestoreBench,
  withOperator: boolean,
): Promise<{ ours: Restore; byHand?: Restore }> {
  return inWorkplace({ sizeMiB, nodes: 3 }, async place => {
    const archives = join(place.folder, 'archives');
    await mkdir(archives);
    const cluster = place.lab.access().clusterName;
    const backup = await measured(
      place.folder,
      place.ours('backup', '--cluster', cluster),
    );
    const { key } = JSON.parse(backup.stdout.trim().split('\n').at(-1)!);
    const ours = async () => {
      const { stdout, ...usage } = await measured(place.folder, [
        ...place.ours(
          'restore',
          '--yes',
          '--cluster',
          cluster,
          '--backup',
          key,
        ),
        ...['--identity', place.identityFile],
      ]);
      return usage;
    };
    const ways: Record<string, () => Promise<Usage>> = { ours };
    if (withOperator) {
      const { archive } = await backupByHand(place, archives, ['pigz', '-1']);
      await rm(join(archives, 'snapshot.db'));
      await laySnapshotTool(place);
      ways.byHand = async () => {
        const work = await place.fresh();
        try {
          return await restoreByHand(place, work, archive);
        } finally {
          await rm(work, { recursive: true });
        }
      };
    }

    const done: Record<string, Restore[]> = { ours: [], byHand: [] };
    for (let run = 0; run <= runs; run++) {
      for (const way of Object.keys(ways)) {
        await settle();
        const watch = await watchApi(place.lab);
        const usage = await ways[way]();
        const restore = { ...usage, ...(await watch.stop()) };
        tell(
          `${
            run ? `run ${run}` : 'warm-up'
          }  ${sizeMiB} MiB  ${way}  ${JSON.stringify(restore)}`,
        );
        if (run) done[way].push(restore);
        await clean(place);
      }
    }
    return {
      ours: medians(done.ours),
      ...(withOperator && { byHand: medians(done.byHand) }),
    };
  });
}

/** Beforehand, as a careful operator would: the tool is in the image only. */
async function laySnapshotTool({ lab }: Workplace): Promise<void> {
  for (const node of lab.nodes) {
    await node.exec([
      'cp',
      '/run/lab/images/etcd/usr/local/bin/etcdutl',
      '/root/etcdutl',
    ]);
  }
}

/** Both ways keep the data of before; the next run is to find the disk as this one did. */
async function clean({ lab }: Workplace): Promise<void> {
  for (const node of lab.nodes) {
    await node.exec([
      'sh',
      '-c',
      'rm -rf /var/lib/etcd/.cluster-backup-* /var/lib/etcd-before',
    ]);
  }
}
