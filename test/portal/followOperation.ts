import { setTimeout as sleep } from 'node:timers/promises';
import {
  ClusterBackupApi,
  Operation,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';

const PATIENCE_MS = 300_000;

/** Tells an operation's events as they come, and resolves when it neither waits for its turn nor runs. */
export async function followOperation(
  api: ClusterBackupApi,
  id: string,
  tell: (line: string) => void,
): Promise<Operation> {
  const begun = Date.now();
  let after = 0;
  for (;;) {
    const { operation, events, cursor } = await api.getOperationEvents(
      id,
      after,
    );
    after = cursor;
    for (const { type, machine, message } of events) {
      if (type === 'step-done') continue;
      tell(machine ? `${machine}: ${message}` : message);
    }
    if (!['queued', 'running'].includes(operation.status)) return operation;
    if (Date.now() - begun > PATIENCE_MS) {
      throw new Error(`Operation ${id} does not end.`);
    }
    await sleep(200);
  }
}
