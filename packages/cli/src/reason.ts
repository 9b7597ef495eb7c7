import { hostname, userInfo } from 'node:os';
import { WrittenReason } from '@cluster-backup/engine';

/** Who runs the command, and where. */
export function whoRuns(): string {
  return `${userInfo().username}@${hostname()}`;
}

/** What `--reason` says, and who ran the command. */
export function writtenReason(text?: string): WrittenReason | undefined {
  if (text === undefined) return undefined;
  return { text, by: whoRuns() };
}
