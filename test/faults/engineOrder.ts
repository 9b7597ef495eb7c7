import { Boundary, ClusterAccess } from '@cluster-backup/engine';

export type Point = Parameters<Boundary>[2];

/** Where an engine ends: at a point of a step, when the first, second or third machine reaches it. */
export interface End {
  step: string;
  point: Point;
  nth: number;
  signal: 'SIGKILL' | 'SIGSTOP';
}

/** What an engine in a process of its own is to do. */
export interface EngineOrder {
  act: 'restore' | 'resume' | 'undo';
  cluster: ClusterAccess;
  store: string;
  archive: { key: string; sha256: string; trustedSigners: string[] };
  identity: string;
  end?: End;
  /** It kills itself when so much time has passed, wherever it is. */
  dieAfterMs?: number;
}
