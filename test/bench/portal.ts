import { mkdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterBackupApi } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { followOperation } from '../portal/followOperation';
import { Guest, signInAsGuest } from '../portal/guest';
import { startPortal } from '../portal/startPortal';
import { medians, round } from './medians';
import { inWorkplace, settle } from './workplace';

const AT_ONCE = 4;
const IDLE_MS = 10_000;
const ASK_EVERY_MS = 50;

/** What a portal is like for everybody else. */
interface Felt {
  /** How late the event loop is. */
  delayP99Ms: number;
  delayPeakMs: number;
  /** Of a route that every page of the catalog asks. */
  routeP95Ms: number;
}

/** A portal that does nothing, and one that takes four backups at once. */
export async function benchPortal(options: {
  sizeMiB: number;
  runs: number;
  tell: (line: string) => void;
}) {
  const { sizeMiB, runs, tell } = options;
  return inWorkplace({ nodes: 1, sizeMiB }, async place => {
    const folder = join(place.folder, 'portal');
    await mkdir(folder);
    process.env.EVENT_LOOP_PROBE = folder;
    process.env.NODE_OPTIONS = `--require=${resolve(
      'test/bench/eventLoopProbe.cjs',
    )}`;
    // One operation that writes runs on a cluster at a time: so it is the lab several times over.
    const names = Array.from({ length: AT_ONCE }, (_, i) => `lab-${i + 1}`);
    const started = await startPortal(place.lab, folder, { names });
    try {
      const guest = await signInAsGuest(started.url);
      const idle: Felt[] = [];
      const loaded: Array<Felt & { seconds: number }> = [];
      // The first ones load code.
      await whileBackingUp(guest, names, folder);
      for (let run = 0; run < runs; run++) {
        await settle();
        idle.push(await felt(guest, folder, sleep(IDLE_MS)));
        loaded.push(await whileBackingUp(guest, names, folder));
        tell(JSON.stringify({ idle: idle.at(-1), loaded: loaded.at(-1) }));
        await rm(join(folder, 'store'), { recursive: true });
      }
      return {
        bench: 'portal',
        sizeMiB,
        atOnce: AT_ONCE,
        idle: medians(idle),
        loaded: medians(loaded),
      };
    } finally {
      await started.portal.stop();
    }
  });
}

async function whileBackingUp(guest: Guest, names: string[], folder: string) {
  const { api } = guest;
  const begun = performance.now();
  const operations = await Promise.all(
    names.map(name => api.startBackup(`resource:default/${name}`)),
  );
  await Promise.all(operations.map(({ id }) => streaming(api, id)));
  const all = Promise.all(
    operations.map(({ id }) => followOperation(api, id, () => {})),
  );
  const result = await felt(guest, folder, all);
  for (const { status, fault } of await all) {
    if (status !== 'succeeded') throw new Error(fault?.message ?? status);
  }
  const seconds = (performance.now() - begun) / 1000;
  return { ...result, seconds: round(seconds) };
}

async function streaming(api: ClusterBackupApi, id: string) {
  for (;;) {
    const { bytes, endedAt } = await api.getOperation(id);
    if (bytes || endedAt) return;
    await sleep(50);
  }
}

/** What is felt until something is over. */
async function felt(
  guest: Guest,
  folder: string,
  over: Promise<unknown>,
): Promise<Felt> {
  await late(folder);
  const answered: number[] = [];
  let isOver = false;
  over.then(
    () => (isOver = true),
    () => (isOver = true),
  );
  while (!isOver) {
    const asked = performance.now();
    await guest.findInCatalog('resource:default/lab-1');
    answered.push(performance.now() - asked);
    await sleep(ASK_EVERY_MS);
  }
  const { p99, peak } = await late(folder);
  answered.sort((a, b) => a - b);
  return {
    delayP99Ms: round(p99),
    delayPeakMs: round(peak),
    routeP95Ms: round(answered[Math.floor(answered.length * 0.95)]),
  };
}

/** How late the portal's event loop was since this was asked last. */
async function late(folder: string): Promise<{ p99: number; peak: number }> {
  const file = join(folder, 'late.jsonl');
  const lines = async () =>
    (await readFile(file, 'utf8').catch(() => '')).split('\n').slice(0, -1);
  const before = (await lines()).length;
  process.kill(Number(await readFile(join(folder, 'pid'), 'utf8')), 'SIGUSR2');
  for (;;) {
    const now = await lines();
    if (now.length > before) return JSON.parse(now.at(-1)!);
    await sleep(20);
  }
}
