import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { summaryName } from '@cluster-backup/engine';
import { KeyFacts } from '../proof/contents';

/** Throw-away keys of a lab that is long gone. */
export interface FixtureKeys {
  /** age's secret key. */
  identity: string;
  /** The signing key's fingerprint. */
  signer: string;
}

/** One archive that a released version wrote. */
export interface Fixture extends FixtureKeys {
  /** `format-1: lab_backup_….tar.gz.age` */
  title: string;
  /** The archive's path; its summary is beside it. */
  path: string;
  name: string;
  bytes: Buffer;
  summary: Buffer;
  /** Where what unpacks it must find the same. */
  contents: Map<string, KeyFacts>;
}

const fixtures = join(__dirname, 'fixtures');

/** The archives of all formats that were ever released. */
export function allFixtures(): Fixture[] {
  return readdirSync(fixtures).flatMap(format => {
    const folder = join(fixtures, format);
    const read = (name: string) => readFileSync(join(folder, name));
    const keys: FixtureKeys = JSON.parse(read('keys.json').toString());
    const contents = JSON.parse(read('contents.json').toString());
    return readdirSync(folder)
      .filter(name => /_backup_[^.]*\.tar[.a-z]*$/.test(name))
      .filter(name => !name.endsWith(summaryName('')))
      .map(name => ({
        ...keys,
        title: `${format}: ${name}`,
        path: join(folder, name),
        name,
        bytes: read(name),
        summary: read(summaryName(name)),
        contents: new Map<string, KeyFacts>(contents),
      }));
  });
}
