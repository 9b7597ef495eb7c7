import { hostname, userInfo } from 'node:os';
import { WrittenReason } from '@cluster-backup/engine';

/** What `--reason` says, and who ran the command. */
export function writtenReason(text?: string): WrittenReason | undefined {
  if (text === undefined) return undefined;
  return { text, by: `${userInfo().username}@${hostname()}` };
}
