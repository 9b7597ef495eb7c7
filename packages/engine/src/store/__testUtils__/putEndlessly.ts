import { openFilesystemStore } from '..';

/** A process that fills a store until it is killed or the disk is full; it prints what became of it. */
async function* endless() {
  const block = Buffer.alloc(256 * 1024, 'x');
  for (;;) {
    yield block;
    process.stdout.write('.');
  }
}

openFilesystemStore({ id: 'disk', path: process.argv[2] })
  .then(store => store.put('lab/a/file', endless()))
  .catch(({ code, message, state }) =>
    process.stdout.write(`\n${JSON.stringify({ code, message, state })}\n`),
  );
