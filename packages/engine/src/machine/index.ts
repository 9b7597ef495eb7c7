export { connectMachine } from './connectMachine';
export type { ConnectOptions } from './connectMachine';
export type {
  HostKeyRule,
  Machine,
  MachineAccess,
  RunOptions,
  RunResult,
} from './Machine';
export { hostKeysOf } from './hostKeysOf';
export { quote } from './quote';
export { authorizedFingerprints, sshKeyFingerprint } from './sshKeys';
