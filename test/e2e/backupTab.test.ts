import { Belongings, loseAll, lookFor, moveIn } from './belongings';
import { keepPicture } from './pictures';
import { Visit } from './Visit';

jest.setTimeout(180_000);

describe('a guest of the portal', () => {
  let visit: Visit;
  let belongings: Belongings;

  beforeAll(async () => {
    visit = await Visit.begin();
    belongings = await moveIn(visit.cluster);
  });
  afterAll(async () => visit?.end());

  it('finds the Backup tab of a cluster from the front door', async () => {
    const { page } = visit;
    await page.goto(visit.place.portal.url);
    await visit.button('Enter').waitFor();
    await keepPicture(page, '01-sign-in');
    await visit.signIn();

    await page.getByRole('link', { name: 'Admin cluster lab' }).first().click();
    await page.getByRole('tab', { name: 'Backup' }).click();
    await visit.backUpButton.waitFor();
    await page.getByText('never been backed up').waitFor();
    await keepPicture(page, '02-never-backed-up', { narrow: true });
  });

  it('backs the cluster up and watches it', async () => {
    const { page, lab } = visit;
    await lab.nodes[0].link.slow({ bytesPerSecond: 4e6 });
    await visit.backUpButton.click();
    await page.getByRole('progressbar').waitFor();
    await keepPicture(page, '03-backup-running', { narrow: true });
    await lab.nodes[0].link.restore();

    await visit.operation('Backup succeeded').waitFor();
    await page.getByText(/^Last good backup/).waitFor();
    await keepPicture(page, '04-backed-up', { narrow: true });
  });

  it('restores it after typing its name, and has everything back', async () => {
    const { page, lab, cluster, dialog } = visit;
    expect(await lookFor(cluster)).toEqual(belongings);
    await loseAll(cluster);
    expect(await lookFor(cluster)).toEqual({});

    await visit.askForRestore();
    await keepPicture(page, '05-restore-asks', { narrow: true });
    const submit = visit.button('Restore lab', dialog);
    await visit.giveIdentity();
    await dialog.getByRole('textbox').fill('another');
    expect(await submit.isDisabled()).toBe(true);
    await keepPicture(page, '06-restore-not-confirmed');
    await dialog.getByRole('textbox').fill('lab');
    await keepPicture(page, '07-restore-confirmed', { narrow: true });

    await lab.nodes[0].link.slow({ bytesPerSecond: 4e6 });
    await submit.click();
    await visit.waitForStep(/Send the snapshot/);
    await keepPicture(page, '08-restore-running', { narrow: true });
    await lab.nodes[0].link.restore();
    await visit.waitForStep(/Stop API servers/);
    await keepPicture(page, '09-restore-commits');

    await visit.operation('Restore succeeded').waitFor();
    await keepPicture(page, '10-restored', { narrow: true });
    expect(await lookFor(cluster)).toEqual(belongings);
  });

  it('reads what was done, and what a backup is', async () => {
    const { page, dialog } = visit;
    await page
      .getByRole('region', { name: 'Backups' })
      .getByRole('row')
      .nth(1)
      .click();
    await dialog.getByText('SHA-256').waitFor();
    await keepPicture(page, '11-backup-details', { narrow: true });
    await page.keyboard.press('Escape');
    await page.reload();
    await page
      .getByRole('region', { name: 'Recent operations' })
      .getByText('Restore')
      .first()
      .waitFor();
    await keepPicture(page, '12-afterwards', { narrow: true });
  });

  it('learns that another cluster is not set up', async () => {
    const { page, place } = visit;
    await page.goto(place.tabUrl.replace('/lab/', '/lab-shop/'));
    await page.getByText('is not set up for backups').first().waitFor();
    await keepPicture(page, '13-not-set-up', { narrow: true });
  });
});
