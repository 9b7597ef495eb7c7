import { contentsAt, differences } from '../proof/contents';
import { Belongings, loseAll, lookFor, moveIn } from './belongings';
import { keepPicture } from './pictures';
import { Visit } from './Visit';

jest.setTimeout(180_000);

describe('a portal that is killed', () => {
  let visit: Visit;
  let belongings: Belongings;

  beforeAll(async () => {
    visit = await Visit.begin();
    belongings = await moveIn(visit.cluster);
    await visit.signIn();
    await visit.openTab();
  });
  afterAll(async () => visit?.end());

  /** The person stays on the page that was open. */
  const killPortal = async (picture: string) => {
    await visit.place.portal.kill();
    await visit.page.getByText('The portal does not answer').first().waitFor();
    await keepPicture(visit.page, picture);
    await visit.lab.nodes[0].link.restore();
    await visit.place.portal.start();
  };

  it('in the middle of a backup: takes it again', async () => {
    const { page, lab } = visit;
    await lab.nodes[0].link.slow({ bytesPerSecond: 2e6 });
    await visit.backUpButton.click();
    await page.getByRole('progressbar').waitFor();
    await killPortal('20-killed-in-backup');

    await visit.operation('Backup succeeded').waitFor();
    await page.getByText('attempt 2').waitFor();
    await keepPicture(page, '21-backup-taken-again', { narrow: true });
    await page.getByText(/^Last good backup/).waitFor();
  });

  it('while it sends the snapshot: resumes with the identity', async () => {
    const { page, lab, cluster, dialog } = visit;
    await loseAll(cluster);
    await lab.nodes[0].link.slow({ bytesPerSecond: 2e6 });
    await visit.restore();
    await visit.waitForStep(/Send the snapshot/);
    await page.getByRole('progressbar').waitFor();
    await killPortal('22-killed-in-restore');

    await visit.operation('Restore interrupted').waitFor();
    await keepPicture(page, '23-restore-interrupted', { narrow: true });
    await visit.button('Resume').click();
    await visit.giveIdentity();
    await keepPicture(page, '24-resume-asks');
    await visit.button('Resume', dialog).click();
    await visit.operation('Restore succeeded').waitFor();
    await keepPicture(page, '25-resumed');
    expect(await lookFor(cluster)).toEqual(belongings);
  });

  it('while the API servers are stopped: puts all back as it was', async () => {
    const { page, lab, cluster, dialog } = visit;
    await loseAll(cluster);
    const before = await contentsAt(lab.nodes[0]);
    await visit.restore();
    await visit.waitForStep(/Stop API servers/);
    await killPortal('26-killed-in-outage');

    await visit.operation('Restore interrupted').waitFor();
    await keepPicture(page, '27-restore-interrupted-in-outage');
    await visit.button('Undo').click();
    await keepPicture(page, '28-undo-asks');
    await visit.button('Undo the restore', dialog).click();
    await visit.operation('Restore undone').waitFor();
    await keepPicture(page, '29-undone', { narrow: true });
    expect(await lookFor(cluster)).toEqual({});
    expect(differences(before, await contentsAt(lab.nodes[0]))).toEqual([]);
  });
});
