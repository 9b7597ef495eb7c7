import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Lab, makeSeed, startLab } from '@cluster-backup/lab';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { Browser, Locator, Page } from 'playwright-core';
import { LabPortal, startPortal } from '../portal/startPortal';
import { launchBrowser } from './browser';

/** A person in front of a browser, with a portal and the cluster that it backs up. */
export class Visit {
  private constructor(
    readonly lab: Lab,
    readonly cluster: CoreV1Api,
    readonly page: Page,
    readonly place: LabPortal,
    private readonly browser: Browser,
    private readonly folder: string,
  ) {}

  static async begin(): Promise<Visit> {
    const folder = await mkdtemp(join(tmpdir(), 'cluster-backup-e2e-'));
    const directory = resolve(__dirname, '../../.cache/lab');
    const seed = await makeSeed({ sizeMiB: 24, directory });
    // With links, so that a machine can be made slow enough to be watched.
    const lab = await startLab({ seed: seed.snapshotPath, links: true });
    const kubeconfig = new KubeConfig();
    kubeconfig.loadFromString(await lab.kubeconfig());
    const place = await startPortal(lab, folder);
    const browser = await launchBrowser();
    const page = await browser.newPage({ locale: 'en-US', timezoneId: 'UTC' });
    page.setDefaultTimeout(60_000);
    return new Visit(
      lab,
      kubeconfig.makeApiClient(CoreV1Api),
      page,
      place,
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

  /** From the portal's door to the cluster's tab, by what there is to press. */
  async signIn(): Promise<void> {
    await this.page.goto(this.place.portal.url);
    await this.page.getByRole('button', { name: 'Enter' }).click();
  }

  async openTab(): Promise<void> {
    await this.page.goto(this.place.tabUrl);
    await this.backUpButton.waitFor();
  }

  get backUpButton(): Locator {
    return this.button('Back up now');
  }

  button(name: string | RegExp, within: Page | Locator = this.page): Locator {
    return within.getByRole('button', { name, exact: true });
  }

  /** Where an operation is shown; its title says how it stands. */
  operation(title: string): Locator {
    return this.page.getByRole('region', { name: title, exact: true });
  }

  get dialog(): Locator {
    return this.page.getByRole('dialog');
  }

  /** Opens the dialog for the newest backup. */
  async askForRestore(): Promise<void> {
    await this.button(/^Restore the backup of /)
      .first()
      .click();
    await this.dialog.waitFor();
  }

  /** Gives the identity as a file, as it was kept. */
  async giveIdentity(): Promise<void> {
    await this.dialog
      .locator('input[type=file]')
      .setInputFiles(this.place.configured.identityFile);
  }

  /** Types the cluster's name, gives the identity, starts the restore. */
  async restore(): Promise<void> {
    const { clusterName } = this.lab.access();
    await this.askForRestore();
    await this.giveIdentity();
    await this.dialog.getByRole('textbox').fill(clusterName);
    await this.button(`Restore ${clusterName}`, this.dialog).click();
  }

  /** A step of the operation that is shown, while it runs. */
  async waitForStep(step: RegExp): Promise<void> {
    await this.page
      .getByRole('listitem')
      .filter({ hasText: step })
      .filter({ hasText: 'running' })
      .waitFor();
  }
}
