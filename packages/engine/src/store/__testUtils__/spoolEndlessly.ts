import { setTimeout as sleep } from 'node:timers/promises';
import { throughDisk } from '../spool';

/** A process that spools to a directory until its disk is full; it prints what became of it. */
async function* endless() {
  const block = Buffer.alloc(256 * 1024, 'x');
  for (;;) yield block;
}

throughDisk(process.argv[2], endless(), async chunks => {
  for await (const _ of chunks) await sleep(100);
}).catch(({ code, message, details }) =>
  process.stdout.write(`${JSON.stringify({ code, message, details })}\n`),
);
