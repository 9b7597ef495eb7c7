export { makeSeed } from './makeSeed';
export type { Seed, SeedOptions } from './makeSeed';
