import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lab, startLab } from '@cluster-backup/lab';
import { Browser } from 'playwright-core';
import { launchBrowser } from '../e2e/browser';
import { signInAsGuest } from '../portal/guest';
import { checkout } from '../portal/Portal';
import { configure } from '../product';
import { command } from './command';
import { readGuide } from './guide';
import { StockPortal } from './StockPortal';

jest.setTimeout(900_000);

describe('a stock portal, by docs/install.md', () => {
  let folder: string;
  let portal: StockPortal;
  let lab: Lab | undefined;
  let browser: Browser | undefined;
  const guide = readGuide();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cluster-backup-install-'));
    portal = await StockPortal.create(folder);
  });
  afterAll(async () => {
    await browser?.close();
    await portal?.stop();
    await lab?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('takes the packages', async () => {
    await command(guide.pack.replace('<portal>', portal.folder), checkout);
    await portal.resolve(guide.resolutions);
    for (const line of guide.add) await portal.run(line);

    const file = join(portal.folder, 'packages/backend/src/index.ts');
    const backend = await readFile(file, 'utf8');
    await writeFile(
      file,
      backend.replace('backend.start()', `${guide.backend}backend.start()`),
    );
    await portal.run('yarn tsc');
    const lockfile = await readFile(join(portal.folder, 'yarn.lock'), 'utf8');
    for (const archive of Object.values(guide.resolutions)) {
      expect(lockfile).toContain(archive);
    }
  });

  it('knows the configuration', async () => {
    await writeFile(
      join(portal.folder, 'app-config.guide.yaml'),
      guide.configuration,
    );
    const judged = portal.run(
      'yarn backstage-cli config:check --lax --strict --config app-config.yaml --config app-config.guide.yaml',
    );
    await expect(judged).resolves.not.toMatch(/error/i);
  });

  it('has the tab, and takes a backup', async () => {
    lab = await startLab();
    const { clusterName } = lab.access();
    const { file } = await configure(lab, folder);
    await writeFile(
      join(portal.folder, 'cluster.yaml'),
      guide.entity
        .replace("<the cluster's name>", clusterName)
        .replace('<a group>', 'guests')
        .replace('<another cluster>', 'another'),
    );
    await portal.configure({
      ...JSON.parse(await readFile(file, 'utf8')),
      catalog: {
        locations: [{ type: 'file', target: '../../cluster.yaml' }],
      },
    });
    await portal.start();
    const clusterRef = `resource:default/${clusterName}`;
    await (await signInAsGuest(portal.backendUrl)).findInCatalog(clusterRef);

    browser = await launchBrowser();
    const page = await browser.newPage({ locale: 'en-US' });
    page.setDefaultTimeout(120_000);
    await page.goto(portal.url);
    await page.getByRole('button', { name: 'Enter' }).click();
    await page.getByRole('link', { name: 'Settings' }).first().waitFor();
    await page.goto(`${portal.url}/catalog/default/resource/${clusterName}`);
    await page.getByRole('link', { name: 'Backup', exact: true }).click();
    await page.getByRole('button', { name: 'Back up now' }).click();
    const outcome = page.getByRole('region', { name: 'Backup succeeded' });
    expect(await outcome.textContent()).toContain('is proven and stored');
  });
});
