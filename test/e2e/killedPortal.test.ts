import { contentsAt, differences } from '../proof/contents';
import { Belongings, loseAll, lookFor, moveIn } from './belongings';
import { Visit } from './Visit';

jest.setTimeout(180_000);

describe('a portal that is killed', () => {
  let visit: Visit;
  let belongings: Belongings;

  beforeAll(async () => {
    visit = await Visit.begin();
    belongings = await moveIn(visit.cluster);
    await visit.signIn();
  });
  afterAll(async () => visit?.end());

  /** The person stays on the page that is open. */
  const killPortal = async (picture: string) => {
    await visit.place.portal.kill();
    await visit.inBoth(({ page }) =>
      page.getByText('The portal does not answer').first().waitFor(),
    );
    await visit.keepPicture(picture);
    await visit.atFullSpeed();
    await visit.place.portal.start();
  };

  it('in the middle of a backup: takes it again', async () => {
    await visit.slow(1e6);
    await visit.light.backUpButton.click();
    await visit.dark.open();
    await visit.inBoth(({ page }) => page.getByRole('progressbar').waitFor());
    await killPortal('20-killed-in-backup');

    await visit.inBoth(async tab => {
      await tab.operation('Backup succeeded').waitFor();
      await tab.page.getByText('attempt 2').waitFor();
      await tab.page.getByText(/^Last good backup/).waitFor();
    });
    await visit.keepPicture('21-backup-taken-again', { narrow: true });
  });

  it('while it sends the snapshot: resumes with the identity', async () => {
    const { light, dark, cluster } = visit;
    await loseAll(cluster);
    // What is about to be replaced is backed up first: not at the pace that is watched.
    await visit.slow(3e6);
    await light.askForRestore();
    await light.giveIdentity();
    await light.confirm('lab');
    await light.submit('Restore lab');
    await dark.open();
    await light.runningStep(/Send the snapshot/).waitFor();
    await visit.slow(5e5);
    await visit.inBoth(async tab => {
      await tab.runningStep(/Send the snapshot/).waitFor();
      await tab.page.getByRole('progressbar').waitFor();
    });
    await killPortal('22-killed-in-restore');

    await visit.inBoth(tab => tab.operation('Restore interrupted').waitFor());
    await visit.keepPicture('23-restore-interrupted', { narrow: true });
    await visit.inBoth(async tab => {
      await tab.button('Resume').click();
      await tab.giveIdentity();
    });
    await visit.keepPicture('24-resume-asks');
    await dark.leaveDialog();
    await light.submit('Resume');
    await visit.inBoth(tab => tab.operation('Restore succeeded').waitFor());
    await visit.keepPicture('25-resumed');
    expect(await lookFor(cluster)).toEqual(belongings);
  });

  it('while the API servers are stopped: puts all back as it was', async () => {
    const { light, dark, cluster, lab } = visit;
    await loseAll(cluster);
    const before = await contentsAt(lab.nodes[0]);
    await light.askForRestore();
    await light.giveIdentity();
    await light.confirm('lab');
    await light.submit('Restore lab');
    await light.runningStep(/Stop API servers/).waitFor();
    await killPortal('26-killed-in-outage');

    await visit.inBoth(tab => tab.operation('Restore interrupted').waitFor());
    await visit.keepPicture('27-interrupted-in-outage');
    await visit.inBoth(tab => tab.button('Undo').click());
    await visit.keepPicture('28-undo-asks');
    await dark.leaveDialog();
    await light.submit('Undo the restore');
    await visit.inBoth(tab => tab.operation('Restore undone').waitFor());
    await visit.keepPicture('29-undone', { narrow: true });
    expect(await lookFor(cluster)).toEqual({});
    expect(differences(before, await contentsAt(lab.nodes[0]))).toEqual([]);
  });
});
