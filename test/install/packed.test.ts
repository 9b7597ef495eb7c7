import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { checkout } from '../portal/Portal';
import { command } from './command';
import { readGuide } from './guide';

jest.setTimeout(300_000);

describe('the packed packages', () => {
  // Inside of the checkout, so that what they depend on is found.
  const folder = join(checkout, 'test/dist/packed');
  const installed = join(folder, 'node_modules');
  const { pack, resolutions } = readGuide();
  const names = Object.keys(resolutions);
  const manifestOf = (name: string) =>
    JSON.parse(readFileSync(join(installed, name, 'package.json'), 'utf8'));

  beforeAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await command(pack.replace('<portal>', folder), checkout);
    for (const [name, file] of Object.entries(resolutions)) {
      const into = join(installed, name);
      mkdirSync(into, { recursive: true });
      const archive = join(folder, file.replace('file:', ''));
      await command(`tar -xzf ${archive} --strip-components=1`, into);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(names)('%s is whole', async name => {
    const manifest = manifestOf(name);
    const at = (path: string) => join(installed, name, path);
    const named = [
      manifest.main,
      manifest.types,
      ...Object.values(manifest.exports ?? {}).flatMap(entry =>
        typeof entry === 'string' ? entry : Object.values(entry as object),
      ),
    ].filter(path => /^(\.\/)?(dist|package\.json)/.test(path));
    expect(named.filter(path => !existsSync(at(path)))).toEqual([]);

    const files = await command('find . -type f', join(installed, name));
    expect(files).not.toMatch(/(?<!\.d)\.tsx?$/m);
    expect(files).not.toMatch(/test|__fixtures__/);

    const ranges = Object.entries<string>(manifest.dependencies);
    expect(
      ranges.filter(([, range]) => !range.startsWith('workspace:')),
    ).toEqual(ranges);
    const ours = ranges.filter(([other]) =>
      other.startsWith('@cluster-backup/'),
    );
    expect(names).toEqual(expect.arrayContaining(ours.map(([other]) => other)));
  });

  it('have a backend that loads, and brings its migrations', async () => {
    const backend = '@cluster-backup/backstage-plugin-cluster-backup-backend';
    const loaded = await command(
      `node -p 'require("${backend}").default.$$type'`,
      folder,
    );
    expect(loaded.trim()).toBe('@backstage/BackendFeature');
    const { resolve } = createRequire(join(folder, 'index.js'));
    expect(resolve(`${backend}/engineProcess`)).toMatch(
      /engineProcess\.cjs\.js$/,
    );
    const migrations = await command('ls migrations', join(installed, backend));
    expect(migrations).toMatch(/\.js$/m);
  });

  it('have a configuration whose secrets are marked', () => {
    const backend = '@cluster-backup/backstage-plugin-cluster-backup-backend';
    const { configSchema } = manifestOf(backend);
    const schema = readFileSync(join(installed, backend, configSchema), 'utf8');
    for (const secret of ['signingKey', 'privateKey', 'passphrase']) {
      const marked = new RegExp(
        `"${secret}":\\s*{[^}]*"visibility":\\s*"secret"`,
      );
      expect(schema).toMatch(marked);
    }
  });
});
