import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { backupByHand } from './byHand';
import { measured, Usage } from './measured';
import { medians, round } from './medians';
import { inWorkplace, settle, Workplace } from './workplace';

type Backup = Usage & { bytes: number };

/** Takes backups of one lab in turn, as the product does and as an operator would. */
export async function benchBackup(options: {
  sizeMiB: number;
  runs: number;
  rttMs: number;
  nodes: 1 | 3;
  tell: (line: string) => void;
}) {
  const { sizeMiB, runs, rttMs, nodes, tell } = options;
  return inWorkplace({ sizeMiB, nodes, links: rttMs > 0 }, async place => {
    for (const node of place.lab.nodes) {
      if (rttMs) await node.link.slow({ rttMs });
    }
    const ways = {
      ours: () => takeOurs(place),
      gzip: () => takeByHand(place, ['gzip', '-1']),
      pigz: () => takeByHand(place, ['pigz', '-1']),
    };
    type Way = keyof typeof ways;
    const names = Object.keys(ways) as Way[];
    const taken: Record<Way, Backup[]> = { ours: [], gzip: [], pigz: [] };
    for (let run = 0; run <= runs; run++) {
      for (let turn = 0; turn < names.length; turn++) {
        // Nobody always follows the same neighbor.
        const way = names[(turn + run) % names.length];
        const backup = await ways[way]();
        tell(
          `${run ? `run ${run}` : 'warm-up'}  ${way}  ${JSON.stringify(
            backup,
          )}`,
        );
        if (run) taken[way].push(backup);
      }
    }
    const ours = medians(taken.ours);
    const gzip = medians(taken.gzip);
    const pigz = medians(taken.pigz);
    const best = Math.min(gzip.seconds, pigz.seconds);
    return {
      bench: 'backup',
      sizeMiB,
      runs,
      ...(rttMs && { rttMs }),
      ours,
      gzip,
      pigz,
      ratio: round(best / ours.seconds),
      ratioGzip: round(gzip.seconds / ours.seconds),
    };
  });
}

async function takeOurs(place: Workplace): Promise<Backup> {
  await settle();
  const { stdout, ...usage } = await measured(
    place.folder,
    place.ours('backup', '--cluster', place.lab.access().clusterName),
  );
  const { key } = JSON.parse(stdout.trim().split('\n').at(-1)!);
  const store = join(place.folder, 'store');
  const { size } = await stat(join(store, key));
  await rm(store, { recursive: true });
  return { ...usage, bytes: size };
}

async function takeByHand(
  place: Workplace,
  compressor: string[],
): Promise<Backup> {
  const work = await place.fresh();
  await settle();
  const { archive, usage } = await backupByHand(place, work, compressor);
  const { size } = await stat(archive);
  await rm(work, { recursive: true });
  return { ...usage, bytes: size };
}
