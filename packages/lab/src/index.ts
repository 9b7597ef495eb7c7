/**
 * A real Kubernetes control plane on one machine, for tests, demo and benchmarks.
 *
 * @packageDocumentation
 */

export * from './Lab';
export * from './LabNode';
export * from './levers/EtcdEventsLevers';
export * from './levers/EtcdLevers';
export * from './levers/LinkLevers';
export * from './levers/LoginLevers';
export * from './levers/SystemLevers';
export { startLab } from './startLab';
export type { LabOptions } from './startLab';
export * from './seed';
