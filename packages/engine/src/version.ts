import { version } from '../package.json';

/** The engine's own version, kept in every archive. @public */
export const engineVersion: string = version;
