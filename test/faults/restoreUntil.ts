import { readFileSync, writeSync } from 'node:fs';
import {
  Boundary,
  ClusterBackupError,
  openFilesystemStore,
  restoreCluster,
  resumeRestore,
  undoRestore,
} from '@cluster-backup/engine';
import { EngineOrder } from './engineOrder';

/** An engine in a process of its own, which ends, or stops, at a boundary of a step. Its order is a file. */
async function main() {
  const order = JSON.parse(
    readFileSync(process.argv[2], 'utf8'),
  ) as EngineOrder;
  const store = await openFilesystemStore({ id: 'local', path: order.store });
  const { key, sha256, trustedSigners } = order.archive;
  const options = {
    cluster: order.cluster,
    boundary: ender(order),
    archive: {
      open: (signal: AbortSignal) => store.get(key, { signal }),
      sha256,
      key: { identities: [order.identity] },
      trustedSigners,
    },
  };
  const act = {
    restore: restoreCluster,
    resume: resumeRestore,
    undo: undoRestore,
  }[order.act];
  if (order.dieAfterMs !== undefined) {
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), order.dieAfterMs);
  }
  await act(options);
}

function ender({ end }: EngineOrder): Boundary {
  let passed = 0;
  return (step, machine, point) => {
    // Written at once: what a dying process has buffered is lost.
    writeSync(1, `${JSON.stringify({ step, machine, point })}\n`);
    if (!end || step !== end.step || point !== end.point) return;
    passed += 1;
    if (passed === end.nth) process.kill(process.pid, end.signal);
  };
}

main().catch(error => {
  const { code, message, state } = error as ClusterBackupError;
  writeSync(1, `${JSON.stringify({ failed: { code, message, state } })}\n`);
  process.exitCode = 1;
});
