export { REWRITTEN_WHILE_RUNNING, registryContents } from './registryContents';
export type { RegistryEntry } from './registryContents';
