import { Belongings, loseAll, lookFor, moveIn } from './belongings';
import { Visit } from './Visit';

jest.setTimeout(240_000);

describe('a guest of the portal', () => {
  let visit: Visit;
  let belongings: Belongings;

  beforeAll(async () => {
    visit = await Visit.begin();
    belongings = await moveIn(visit.cluster);
  });
  afterAll(async () => visit?.end());

  it('finds the Backup tab of a cluster from the front door', async () => {
    const { light, place } = visit;
    const { headers } = await fetch(place.tabUrl);
    expect(headers.get('content-security-policy')).toMatch(
      /frame-ancestors 'self'/,
    );
    await visit.inBoth(tab => tab.visitPortal());
    await visit.keepPicture('01-sign-in');
    await light.button('Enter').click();
    await light.page.getByRole('link', { name: 'Admin cluster lab' }).click();
    await light.page.getByRole('link', { name: 'Backup', exact: true }).click();
    await light.backUpButton.waitFor();

    await visit.dark.open();
    await visit.inBoth(({ page }) =>
      page.getByText('never been backed up').first().waitFor(),
    );
    await visit.keepPicture('02-never-backed-up', { narrow: true });
  });

  it('backs the cluster up and watches it', async () => {
    await visit.slow(1e6);
    await visit.light.backUpButton.click();
    await visit.dark.open();
    await visit.inBoth(({ page }) => page.getByRole('progressbar').waitFor());
    await visit.keepPicture('03-backup-running', { narrow: true });
    await visit.atFullSpeed();

    await visit.inBoth(async tab => {
      await tab.operation('Backup succeeded').waitFor();
      await tab.page.getByText(/^Last good backup/).waitFor();
    });
    await visit.keepPicture('04-backed-up', { narrow: true });
  });

  it('restores it after typing its name, and has everything back', async () => {
    const { light, dark, cluster } = visit;
    expect(await lookFor(cluster)).toEqual(belongings);
    await loseAll(cluster);
    expect(await lookFor(cluster)).toEqual({});

    await visit.inBoth(tab => tab.askForRestore());
    await visit.keepPicture('05-restore-asks', { narrow: true });
    await visit.inBoth(async tab => {
      await tab.giveIdentity();
      await tab.confirm('another');
    });
    expect(await light.button('Restore lab', light.dialog).isDisabled()).toBe(
      true,
    );
    await visit.keepPicture('06-restore-not-confirmed');
    await visit.inBoth(tab => tab.confirm('lab'));
    await visit.keepPicture('07-restore-confirmed', { narrow: true });

    // What is about to be replaced is backed up first: not at the pace that is watched.
    await visit.slow(3e6);
    await light.submit('Restore lab');
    await dark.open();
    await light.runningStep(/Send the snapshot/).waitFor();
    await visit.slow(5e5);
    await dark.runningStep(/Send the snapshot/).waitFor();
    await visit.keepPicture('08-restore-running', { narrow: true });
    await visit.atFullSpeed();
    await visit.inBoth(tab => tab.runningStep(/Stop API servers/).waitFor());
    await visit.keepPicture('09-restore-commits');

    await visit.inBoth(tab => tab.operation('Restore succeeded').waitFor());
    await visit.keepPicture('10-restored', { narrow: true });
    expect(await lookFor(cluster)).toEqual(belongings);
  });

  it('reads what was done, and what a backup is', async () => {
    await visit.inBoth(async ({ page, dialog }) => {
      const backups = page.getByRole('region', { name: 'Backups' });
      await backups.getByRole('rowheader').first().click();
      await dialog.getByText('SHA-256').waitFor();
    });
    await visit.keepPicture('11-backup-details', { narrow: true });
    await visit.inBoth(async ({ page, dialog }) => {
      await dialog
        .getByRole('link', { name: 'runbook of this cluster' })
        .click();
      await page
        .getByRole('heading', { name: 'Runbook: lab without the portal' })
        .first()
        .waitFor();
    });
    await visit.keepPicture('14-runbook', { narrow: true });
    await visit.keepPrint('15-runbook-on-paper');
    await visit.inBoth(({ page }) =>
      page
        .getByRole('region', { name: 'Runbook' })
        .getByRole('link', { name: 'Backups' })
        .click(),
    );

    await visit.inBoth(async ({ page }) => {
      await page
        .getByRole('region', { name: 'Backups' })
        .getByRole('link', { name: 'Retention' })
        .click();
      await page.getByText('The newest that is verified').waitFor();
    });
    await visit.keepPicture('16-what-is-kept', { narrow: true });
    await visit.inBoth(({ page }) =>
      page
        .getByRole('region', { name: 'Retention' })
        .getByRole('link', { name: 'Backups' })
        .click(),
    );

    await visit.inBoth(async ({ page }) => {
      await page.reload();
      const operations = page.getByRole('region', {
        name: 'Recent operations',
      });
      await operations.getByText('Restore').first().waitFor();
    });
    await visit.keepPicture('12-afterwards', { narrow: true });
  });

  it('learns that another cluster is not set up', async () => {
    const other = visit.place.tabUrl.replace('/lab/', '/lab-shop/');
    await visit.inBoth(async ({ page }) => {
      await page.goto(other);
      await page.getByText('is not set up for backups').first().waitFor();
    });
    await visit.keepPicture('13-not-set-up', { narrow: true });
  });
});
