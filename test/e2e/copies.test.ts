import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Visit } from './Visit';

jest.setTimeout(180_000);

describe('copies', () => {
  let visit: Visit;

  beforeAll(async () => {
    visit = await Visit.begin();
    await visit.signIn();
  });
  afterAll(async () => visit?.end());

  it('are said to be missing while a store is away, and are made once it is back; the identity is proven', async () => {
    const { light, dark, folder } = visit;
    const vault = join(folder, 'vault');
    await rename(vault, `${vault}.away`);
    await writeFile(vault, '');
    await light.backUpButton.click();
    await light.operation('Backup succeeded').waitFor();
    await visit.inBoth(tab =>
      tab.page.getByText('1 of 2 copies').first().waitFor(),
    );
    await visit.keepPicture('30-copy-missing', { narrow: true });

    await rm(vault);
    await rename(`${vault}.away`, vault);
    await visit.inBoth(async tab => {
      await tab.openNewestBackup();
      await tab.dialog.getByText(/^vault: none/).waitFor();
    });
    await visit.keepPicture('31-backup-with-a-copy-missing', { narrow: true });
    await dark.leaveDialog();
    await light.button('Verify', light.dialog).click();
    await light.operation('Verification succeeded').waitFor();
    await visit.inBoth(tab =>
      tab.page.getByText('2 of 2 copies').first().waitFor(),
    );
    await visit.inBoth(tab =>
      tab.page.getByText('1 of 2 copies').waitFor({ state: 'detached' }),
    );
    await visit.keepPicture('32-copy-made', { narrow: true });

    await visit.inBoth(async tab => {
      await tab.button('Prove the identity').click();
      await tab.dialog.waitFor();
    });
    await visit.keepPicture('33-prove', { narrow: true });
    await dark.leaveDialog();
    await light.giveIdentity();
    await light.submit('Prove');
    await visit.inBoth(tab =>
      tab.page
        .getByText(/^Nobody has shown within a year/)
        .waitFor({ state: 'detached' }),
    );
    await visit.keepPicture('34-protected', { narrow: true });
  });

  it('of a backup are kept for a reason, in both stores, until it is released', async () => {
    const { light, dark, folder } = visit;
    const holds = async () => {
      const stored = await readdir(folder, { recursive: true });
      return stored.filter(name => name.endsWith('.hold.json')).length;
    };
    await visit.inBoth(async tab => {
      await tab.openNewestBackup();
      await tab.button('Keep', tab.dialog).click();
      await tab.dialog
        .getByLabel('Why it is kept')
        .fill('The last one before the move to Kubernetes 1.34');
    });
    await visit.keepPicture('35-keep-asks', { narrow: true });
    const question = light.page.getByRole('dialog', { name: /^Keep/ });
    await light.button('Keep', question).click();
    await light.button('Release', light.dialog).waitFor();
    expect(await holds()).toBe(2);

    await dark.open();
    await dark.openNewestBackup();
    await visit.inBoth(tab =>
      tab.dialog.getByText(/^Kept by \S+ since .* Kubernetes 1\.34$/).waitFor(),
    );
    await visit.keepPicture('36-kept', { narrow: true });
    await visit.inBoth(async tab => {
      await tab.leaveDialog();
      await tab.page.getByText(/^kept/).waitFor();
    });
    await visit.keepPicture('37-backups-with-one-kept', { narrow: true });

    await light.openNewestBackup();
    await light.button('Release', light.dialog).click();
    await light.button('Keep', light.dialog).waitFor();
    expect(await holds()).toBe(0);
  });
});
