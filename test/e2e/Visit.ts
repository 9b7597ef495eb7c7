import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Lab, makeSeed, startLab } from '@cluster-backup/lab';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { Browser } from 'playwright-core';
import { LabPortal, startPortal } from '../portal/startPortal';
import { launchBrowser } from './browser';
import { keepPicture, keepPrint, WIDE } from './pictures';
import { Tab } from './Tab';

/**
 * A person in front of a browser, with a portal and the cluster that it backs up. The person looks at the same place
 * in two tabs, a light and a dark one: a portal that changes its theme builds its page anew.
 */
export class Visit {
  private constructor(
    readonly lab: Lab,
    readonly cluster: CoreV1Api,
    readonly place: LabPortal,
    readonly light: Tab,
    readonly dark: Tab,
    private readonly browser: Browser,
    readonly folder: string,
  ) {}

  static async begin(): Promise<Visit> {
    const folder = await mkdtemp(join(tmpdir(), 'cluster-backup-e2e-'));
    const directory = resolve(__dirname, '../../.cache/lab');
    const seed = await makeSeed({ sizeMiB: 24, directory });
    // With links, so that a machine can be made slow enough to be watched.
    const lab = await startLab({ seed: seed.snapshotPath, links: true });
    const kubeconfig = new KubeConfig();
    kubeconfig.loadFromString(await lab.kubeconfig());
    const place = await startPortal(lab, folder, { vault: true });
    const browser = await launchBrowser();
    const person = await browser.newContext({
      locale: 'en-US',
      timezoneId: 'UTC',
      viewport: WIDE,
    });
    person.setDefaultTimeout(45_000);
    const light = await person.newPage();
    const dark = await person.newPage();
    await dark.emulateMedia({ colorScheme: 'dark' });
    return new Visit(
      lab,
      kubeconfig.makeApiClient(CoreV1Api),
      place,
      new Tab(light, place),
      new Tab(dark, place),
      browser,
      folder,
    );
  }

  async end(): Promise<void> {
    await this.browser.close();
    await this.place.portal.stop();
    await this.lab.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Through the front door, and to the cluster's Backup tab. */
  async signIn(): Promise<void> {
    await this.light.visitPortal();
    await this.light.button('Enter').click();
    await this.light.page
      .getByRole('link', { name: 'Catalog' })
      .first()
      .waitFor();
    await this.inBoth(tab => tab.open());
  }

  /** Does the same in both tabs. */
  async inBoth(act: (tab: Tab) => Promise<unknown>): Promise<void> {
    await act(this.light);
    await act(this.dark);
  }

  async keepPicture(name: string, options: { narrow?: boolean } = {}) {
    const { narrow = false } = options;
    await keepPicture(this.light.page, `${name}-light`, narrow);
    await keepPicture(this.dark.page, `${name}-dark`, narrow);
  }

  /** What comes out of a printer. */
  async keepPrint(name: string) {
    await keepPrint(this.dark.page, name);
  }

  /** How much a second can be read from and written to the cluster's machine. */
  async slow(bytesPerSecond: number): Promise<void> {
    await this.lab.nodes[0].link.slow({ bytesPerSecond });
  }

  async atFullSpeed(): Promise<void> {
    await this.lab.nodes[0].link.restore();
  }
}
