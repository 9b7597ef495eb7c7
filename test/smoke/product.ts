/** What a person does with the product, in whichever of its ways. */
export interface Product {
  check(): Promise<void>;
  backUp(): Promise<Taken>;
  restore(backup: Taken): Promise<{ outageSeconds: number; bump: number }>;
  /** What of it still runs. */
  stop(): Promise<void>;
}

export interface Taken {
  id: string;
  revision: number;
  snapshotBytes: number;
  archiveBytes: number;
}
