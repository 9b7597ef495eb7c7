import { Locator, Page } from 'playwright-core';
import { LabPortal } from '../portal/startPortal';

/** A page of the browser with the cluster's Backup tab in it, and what a person does there. */
export class Tab {
  constructor(readonly page: Page, private readonly place: LabPortal) {}

  /** To the portal's front door. */
  async visitPortal(): Promise<void> {
    await this.page.goto(this.place.portal.url);
    await this.page.getByRole('heading').first().waitFor();
  }

  async open(): Promise<void> {
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

  /** A step of the operation that is shown, while it runs. */
  runningStep(title: RegExp): Locator {
    return this.page
      .getByRole('listitem')
      .filter({ hasText: title })
      .filter({ hasText: 'running' });
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

  /** Gives the identity as the file that it was kept in. */
  async giveIdentity(): Promise<void> {
    await this.dialog
      .locator('input[type=file]')
      .setInputFiles(this.place.configured.identityFile);
  }

  /** Types what confirms a restore. */
  async confirm(name: string): Promise<void> {
    await this.dialog.getByLabel(/^Type /).fill(name);
  }

  async submit(label: string): Promise<void> {
    await this.button(label, this.dialog).click();
    await this.dialog.waitFor({ state: 'detached' });
  }

  /** Opens what is known of the newest backup. */
  async openNewestBackup(): Promise<void> {
    // While backups are read the table has rows already, with nothing in them.
    const backups = this.page
      .getByRole('row')
      .filter({ has: this.button(/^(Restore|Request .*) the backup of /) });
    await backups.first().click();
    await this.dialog.waitFor();
  }

  async leaveDialog(): Promise<void> {
    await this.page.keyboard.press('Escape');
    await this.dialog.waitFor({ state: 'detached' });
  }
}
