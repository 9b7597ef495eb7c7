/**
 * A real Kubernetes control plane on one machine, for tests, demo and benchmarks.
 *
 * @packageDocumentation
 */

export * from './Lab';
export * from './LabNode';
export { startLab } from './startLab';
export type { LabOptions } from './startLab';
