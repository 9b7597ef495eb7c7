export { writeRunbook } from './writeRunbook';
export type { RunbookBackup, RunbookFacts } from './RunbookFacts';
