import { Entity } from '@backstage/catalog-model';
import { mockApis, renderInTestApp } from '@backstage/frontend-test-utils';
import {
  catalogApiRef,
  entityRouteRef,
  EntityProvider,
} from '@backstage/plugin-catalog-react';
import { catalogApiMock } from '@backstage/plugin-catalog-react/testUtils';
import {
  AuthorizeResult,
  EvaluatePermissionRequest,
} from '@backstage/plugin-permission-common';
import { ClusterOverview } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { aBackup } from '../__fixtures__/aBackup';
import { aClusterEntity } from '../__fixtures__/aClusterEntity';
import { anArchive } from '../__fixtures__/anArchive';
import { InMemoryClusterBackup } from '../__fixtures__/InMemoryClusterBackup';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { saveFile } from '../files/saveFile';
import { isFramed } from '../framing/isFramed';
import { ClusterBackupContent } from './ClusterBackupContent';

jest.mock('../files/saveFile', () => {
  const { saveFile: save } = jest.requireActual('../files/saveFile');
  return { saveFile: jest.fn(save) };
});
jest.mock('../framing/isFramed', () => ({ isFramed: jest.fn() }));

const CLUSTER = 'resource:default/production';
const ME = 'user:default/me';
const user = userEvent.setup();
let portal: InMemoryClusterBackup;

const saved: string[] = [];

beforeAll(() => {
  URL.createObjectURL = blob => `blob:${(blob as Blob).size}`;
  URL.revokeObjectURL = () => {};
  jest
    .spyOn(HTMLAnchorElement.prototype, 'click')
    .mockImplementation(function click(this: HTMLAnchorElement) {
      saved.push(`${this.download} ${this.href}`);
    });
});
beforeEach(() => {
  portal = new InMemoryClusterBackup();
  saved.length = 0;
});

function open(
  options: {
    entity?: Entity;
    others?: Entity[];
    authorize?: (request: EvaluatePermissionRequest) => AuthorizeResult.DENY;
  } = {},
) {
  const { entity = aClusterEntity, others = [], authorize } = options;
  return renderInTestApp(
    <EntityProvider entity={entity}>
      <ClusterBackupContent />
    </EntityProvider>,
    {
      apis: [
        [clusterBackupApiRef, portal],
        [catalogApiRef, catalogApiMock({ entities: [entity, ...others] })],
        mockApis.permission({ authorize }),
        mockApis.identity({ userEntityRef: ME }),
      ],
      mountedRoutes: { '/catalog/:namespace/:kind/:name': entityRouteRef },
    },
  );
}

const button = (name: string | RegExp) => screen.findByRole('button', { name });
const region = async (name: string | RegExp) =>
  within(await screen.findByRole('region', { name }));

describe('what restores replaced', () => {
  const since = '2026-02-03T04:05:06Z';
  const operation = 'restore-20260203T040506Z-1f2e3d4c';
  const kept = ['cp-1', 'cp-2'].map(machine => ({
    machine,
    operation,
    path: '/var/lib/etcd/.cluster-backup-x',
    bytes: 512 * 1024 ** 2,
    since,
  }));

  it('is shown with its size and its term, and removed when the restore is accepted', async () => {
    portal.addCluster(CLUSTER);
    portal.kept.set(CLUSTER, {
      kept,
      unread: [{ machine: 'cp-3', message: 'No route to it.' }],
      keepReplacedDays: 7,
    });
    open();
    const section = await region('Data of before a restore');
    expect(section.getByText(/1 GiB on cp-1, cp-2/)).toHaveTextContent(
      /kept until .*Feb 10, 2026/,
    );
    expect(section.getByText(/cp-3 could not be looked at/)).toBeVisible();
    await user.click(
      section.getByRole('button', { name: 'Accept the restore' }),
    );
    const dialog = within(await screen.findByRole('dialog'));
    expect(dialog.getByText(/1 GiB.*no way back/)).toBeVisible();
    await user.click(
      dialog.getByRole('button', { name: 'Accept the restore' }),
    );
    await waitFor(() =>
      expect(
        screen.queryByRole('region', { name: 'Data of before a restore' }),
      ).not.toBeInTheDocument(),
    );
    expect(portal.asked).toEqual([
      { what: 'accept', with: { clusterRef: CLUSTER, operation } },
    ]);
  });

  it('is accepted by nobody who may not restore', async () => {
    portal.addCluster(CLUSTER, {
      allowed: {
        create: { allowed: true },
        restore: { allowed: false, reason: 'Only owners.' },
        approve: { allowed: true },
        approveAlone: { allowed: false },
        manage: { allowed: true },
        reveal: { allowed: true },
      },
    });
    portal.kept.set(CLUSTER, { kept, unread: [], keepReplacedDays: 7 });
    open();
    expect(await button('Accept the restore')).toHaveAccessibleDescription(
      'Only owners.',
    );
  });
});

describe('the state of a cluster', () => {
  it('says that it was never backed up, backs it up and follows that to its end', async () => {
    portal.addCluster(CLUSTER);
    open();
    expect(
      await screen.findByText('This cluster has never been backed up'),
    ).toBeVisible();
    expect(await screen.findByText('No backups yet')).toBeVisible();

    await user.click(await button('Back up now'));
    await screen.findByText('Backup queued');
    expect(portal.asked).toEqual([
      { what: 'backup', with: { clusterRef: CLUSTER } },
    ]);
    const busy = await button('Back up now');
    expect(busy).toHaveAttribute('aria-disabled', 'true');
    expect(busy).toHaveAccessibleDescription(/queued for this cluster/);
    await user.click(busy);
    expect(portal.asked).toHaveLength(1);

    portal.tell(
      'operation-1',
      {
        status: 'running',
        startedAt: new Date().toISOString(),
        step: { name: 'capture', title: 'Capture and store' },
        bytes: {
          done: 256 * 1024 ** 2,
          total: 1024 ** 3,
          rate: 64 * 1024 ** 2,
        },
      },
      { type: 'step-started', step: 'check', message: 'Check' },
      { type: 'step-done', step: 'check', message: 'Check' },
      { type: 'step-started', step: 'capture', message: 'Capture and store' },
      { type: 'note', machine: 'cp-2', message: 'is caught up' },
    );
    const panel = await region('Backup running');
    const bar = await panel.findByRole('progressbar');
    expect(bar).toHaveAttribute('aria-valuenow', '25');
    expect(bar).toHaveAttribute(
      'aria-valuetext',
      '256 MiB of 1 GiB · 64 MiB/s · 12 sec left',
    );
    expect(
      within(panel.getByRole('list', { name: 'Steps' }))
        .getAllByRole('listitem')
        .map(item => item.textContent),
    ).toEqual(['Checkdone', 'Capture and storerunning']);
    expect(
      panel.getByText(/^Backup running. Capture and store 25 %/),
    ).toHaveAttribute('role', 'status');

    await user.click(panel.getByRole('button', { name: 'Log' }));
    expect(
      within(panel.getByRole('region', { name: 'Log' })).getByText(
        /is caught up/,
      ),
    ).toHaveTextContent('cp-2 is caught up');

    await user.click(panel.getByRole('button', { name: 'Cancel' }));
    expect(portal.asked.at(-1)).toEqual({
      what: 'cancel',
      with: { id: 'operation-1' },
    });

    portal.addBackup(aBackup({ createdAt: new Date().toISOString() }));
    portal.tell('operation-1', {
      status: 'succeeded',
      endedAt: new Date().toISOString(),
    });
    expect(
      await screen.findByText('The backup is proven and stored.'),
    ).toBeVisible();
    expect(await screen.findByText(/^Last good backup/)).toBeVisible();
    expect(await button(/^Restore the backup of/)).toBeVisible();
    expect(await button('Back up now')).not.toHaveAttribute('aria-disabled');

    await user.click(await button('Dismiss'));
    expect(screen.queryByText('Backup succeeded')).not.toBeInTheDocument();
  });

  it("is backed up under a name of one's own, and into some of the stores", async () => {
    portal.addCluster(CLUSTER, { stores: ['local', 'offsite'] });
    open();
    await user.click(await button('Options'));
    const dialog = within(await screen.findByRole('dialog'));
    const submit = dialog.getByRole('button', { name: 'Back up now' });
    await user.type(dialog.getByLabelText('Name'), ' before-upgrade ');
    await user.click(dialog.getByLabelText('local'));
    await user.click(dialog.getByLabelText('offsite'));
    expect(submit).toBeDisabled();
    expect(dialog.getByRole('alert')).toHaveTextContent('Choose one at least.');
    await user.click(dialog.getByLabelText('offsite'));
    await user.click(submit);
    await screen.findByText('Backup queued');
    expect(portal.asked).toEqual([
      {
        what: 'backup',
        with: {
          clusterRef: CLUSTER,
          name: 'before-upgrade',
          stores: ['offsite'],
        },
      },
    ]);
  });

  it('keeps what it knows while the portal is silent, and goes on when it is back', async () => {
    portal.addCluster(CLUSTER);
    const { id } = portal.addOperation(
      { step: { name: 'capture', title: 'Capture' } },
      { type: 'step-started', step: 'capture', message: 'Capture' },
    );
    open();
    const panel = await region('Backup running');

    portal.refusal = new TypeError('Failed to fetch');
    expect(await screen.findByText('The portal does not answer')).toBeVisible();
    expect(await panel.findByText(/What is shown here is from/)).toBeVisible();
    expect(panel.getByRole('list', { name: 'Steps' })).toHaveTextContent(
      'Capture',
    );

    portal.refusal = undefined;
    portal.tell(id, { attempt: 2 }, { type: 'note', message: 'begun again' });
    expect(await panel.findByText(/attempt 2/)).toBeVisible();
    await waitFor(() =>
      expect(
        screen.queryByText('The portal does not answer'),
      ).not.toBeInTheDocument(),
    );
    portal.tell(id, { status: 'cancelled' });
    expect(await screen.findByText(/^It was cancelled/)).toBeVisible();
  });

  it('shows why the last operation failed, and the log of any', async () => {
    portal.addCluster(CLUSTER, { backups: [aBackup()] });
    portal.addOperation(
      {
        kind: 'check',
        status: 'succeeded',
        findings: [
          { check: 'a', level: 'ok', code: 'a', message: '', remedy: '' },
          {
            check: 'disks',
            level: 'reservation',
            code: 'disk-low',
            machine: 'cp-1',
            message: 'has 2 GiB left',
            remedy: 'Make room.',
          },
        ],
      },
      { type: 'note', message: 'df on cp-1' },
    );
    portal.addOperation({
      status: 'failed',
      fault: {
        code: 'no-fit-member',
        message: 'No member is fit',
        state: 'No backup was stored.',
        remedy: 'Bring cp-1 back.',
      },
    });
    open();
    const alert = await screen.findByRole('alert');
    for (const part of [
      'No member is fit',
      'No backup was stored.',
      'Bring cp-1 back.',
      'no-fit-member',
    ]) {
      expect(alert).toHaveTextContent(part);
    }

    await user.click(await screen.findByRole('row', { name: /Check/ }));
    const dialog = within(await screen.findByRole('dialog'));
    expect(await dialog.findByText('cp-1: has 2 GiB left')).toBeVisible();
    expect(dialog.getByText(/Make room/)).toBeVisible();
    expect(dialog.getByText('1 thing in order')).toBeVisible();
    await user.click(dialog.getByRole('button', { name: 'Log' }));
    expect(await dialog.findByText('df on cp-1')).toBeVisible();
  });

  it('shows everything known about a backup, and older ones on demand', async () => {
    portal.addCluster(CLUSTER, {
      backups: Array.from({ length: 12 }, (_, i) =>
        aBackup({
          id: `backup-${i}`,
          member: `cp-${i}`,
          reservations:
            i === 0
              ? [{ id: 'nospace', title: 'etcd is full', message: 'Alarm.' }]
              : [],
        }),
      ),
    });
    open();
    const backups = await region('Backups');
    await waitFor(() =>
      expect(backups.getAllByRole('row')).toHaveLength(1 + 10),
    );
    await user.click(backups.getByRole('button', { name: /older/ }));
    await waitFor(() =>
      expect(backups.getAllByRole('row')).toHaveLength(1 + 12),
    );
    expect(
      backups.queryByRole('button', { name: /older/ }),
    ).not.toBeInTheDocument();

    await user.click(backups.getAllByRole('row')[1]);
    const dialog = await screen.findByRole('dialog');
    const { key, sha256, signer } = aBackup();
    for (const fact of [
      'etcd is full',
      'Alarm.',
      'cp-0',
      key,
      sha256,
      signer,
    ]) {
      expect(dialog).toHaveTextContent(fact);
    }
    expect(within(dialog).getByRole('link', { name: 'ada' })).toBeVisible();
  });

  it('links the clusters that it is related to', async () => {
    const relative = (name: string, type = 'kubernetes-cluster'): Entity => ({
      ...aClusterEntity,
      metadata: { name, namespace: 'default' },
      spec: { type },
    });
    portal.addCluster(CLUSTER);
    portal.addCluster('resource:default/admin', {
      backups: [aBackup({ clusterRef: 'resource:default/admin' })],
    });
    portal.addCluster('resource:default/user-1');
    open({
      entity: {
        ...aClusterEntity,
        relations: [
          { type: 'dependsOn', targetRef: 'resource:default/admin' },
          { type: 'dependsOn', targetRef: 'resource:default/database' },
          { type: 'dependencyOf', targetRef: 'resource:default/user-1' },
        ],
      },
      others: [
        relative('admin'),
        relative('user-1'),
        relative('database', 'database'),
      ],
    });
    const related = await region('Related clusters');
    await related.findByText(/^last backed up/);
    await related.findByText('never backed up');
    expect(
      related.getAllByRole('listitem').map(item => item.textContent),
    ).toEqual([
      expect.stringMatching(/^admin.*depends on it.*last backed up/),
      expect.stringMatching(/^user-1.*depends on this.*never backed up/),
    ]);
    expect(related.getByRole('link', { name: 'admin' })).toHaveAttribute(
      'href',
      '/catalog/default/resource/admin',
    );
  });
});

describe('a cluster that little can be done with', () => {
  it('says what to configure', async () => {
    portal.addCluster(CLUSTER, { name: undefined });
    open();
    expect(
      await screen.findByText('This cluster is not set up for backups'),
    ).toBeVisible();
    expect(
      screen.getByText(/entityRef: resource:default\/production/),
    ).toBeVisible();
  });

  it('names the permission that is missing for reading', async () => {
    const metadata = { name: 'secret', namespace: 'default' };
    open({
      entity: { ...aClusterEntity, metadata },
      authorize: () => AuthorizeResult.DENY,
    });
    expect(await screen.findByText(/clusterBackup\.read/)).toBeVisible();
  });

  it('says who has the rights of owners while another owner does not count yet', async () => {
    portal.addCluster(CLUSTER, {
      ownership: {
        owners: ['group:default/platform'],
        isPinned: false,
        next: {
          owners: ['group:default/shop'],
          since: '2026-11-22T10:00:00.000Z',
          countsFrom: '2026-11-23T10:00:00.000Z',
        },
      },
    });
    open();
    const told = await screen.findByText(
      'The owner was changed in the catalog',
    );
    const alert = told.closest('[role="status"]');
    expect(alert).toHaveTextContent(/it is shop\. .* stay with platform until/);
  });

  it('does not let a page that shows the portal in a frame have a click for a restore', async () => {
    jest.mocked(isFramed).mockReturnValue(true);
    try {
      portal.addCluster(CLUSTER, { backups: [aBackup()] });
      open();
      expect(
        await button(/^Restore the backup of/),
      ).toHaveAccessibleDescription(/Open the portal itself/);
      expect(await button('Back up now')).toBeEnabled();
    } finally {
      jest.mocked(isFramed).mockReturnValue(false);
    }
  });

  it('can be restored without the portal, with the command and the runbook', async () => {
    portal.runbook = `# Runbook of production

| Machine | Address |
| ------- | ------- |
| cp-1 | 10.0.0.1 |

\`\`\`sh
age -d -i identity.txt lab.tar.gz.age | tar -xz
\`\`\`
`;
    const archive = aBackup({ key: 'default/lab/x/lab.tar.gz.age' });
    portal.addCluster(CLUSTER, { backups: [archive] });
    open();
    await button(/^Restore the backup of/);
    await user.click((await region('Backups')).getAllByRole('row')[1]);
    const dialog = within(await screen.findByRole('dialog'));
    expect(
      dialog.getByText(
        `node cluster-backup.cjs restore -c production --backup-file lab.tar.gz.age --identity identity.txt --ssh-key ssh-key --signer ${archive.signer}`,
      ),
    ).toBeVisible();
    await user.click(
      dialog.getByRole('link', { name: 'runbook of this cluster' }),
    );

    const runbook = await region('Runbook');
    expect(runbook.getByRole('cell', { name: '10.0.0.1' })).toBeVisible();
    const print = jest.spyOn(window, 'print').mockImplementation(() => {});
    await user.click(runbook.getByRole('button', { name: 'Print' }));
    expect(print).toHaveBeenCalledTimes(1);
    await user.click(runbook.getByRole('button', { name: 'Save as Markdown' }));
    expect(saved).toEqual([
      `production-runbook.md blob:${portal.runbook.length}`,
    ]);
    await user.click(runbook.getByRole('link', { name: 'Backups' }));
    expect(await region('Backups')).toBeTruthy();
  });

  it('says when the next backup is due, and that nobody asked for what was', async () => {
    portal.addCluster(CLUSTER, {
      backups: [aBackup()],
      nextBackupAt: '2026-11-24T02:13:00.000Z',
    });
    portal.addOperation({
      ...{ kind: 'backup', status: 'succeeded', clusterRef: CLUSTER },
      requestedBy: 'plugin:cluster-backup',
    });
    open();
    expect(await screen.findByText(/The next one is due Nov 24/)).toBeVisible();
    await screen.findByText('succeeded');
    const recent = await region('Recent operations');
    await user.click(recent.getAllByRole('row')[1]);
    const dialog = within(await screen.findByRole('dialog'));
    expect(dialog.getByText(/the portal itself/)).toBeVisible();
  });

  it('tells what keeps each backup, and when one goes and why', async () => {
    const day = (count: number) =>
      new Date(Date.now() + count * 86_400_000).toISOString();
    const of = { key: 'x', isBeforeRestore: false, expiresAt: day(365) };
    portal.retention = {
      ...portal.retention,
      backups: [
        {
          ...{ ...of, id: '1', createdAt: day(-1) },
          keptBy: [
            { by: 'newest-verified' },
            { by: 'daily', period: '2026-11-22' },
          ],
        },
        {
          ...{ ...of, id: '2', createdAt: day(-2) },
          keptBy: [{ by: 'lock', until: day(30) }],
          ...{ ended: 'not-in-rule', goesAt: day(31) },
        },
        {
          ...{ ...of, id: '3', createdAt: day(-9), keptBy: [] },
          ...{ ended: 'expired', goesAt: day(1) },
        },
      ],
      foundCount: 2,
    };
    portal.addCluster(CLUSTER, { backups: [aBackup()] });
    open();
    await user.click(
      (await region('Backups')).getByRole('link', { name: 'Retention' }),
    );
    const kept = await region('Retention');
    expect(
      kept.getByText(/one a day of 7 days, one a week of 5 weeks/),
    ).toBeVisible();
    expect(kept.getByText('The last of the day 2026-11-22')).toBeVisible();
    expect(kept.getByText('Not as things are')).toBeVisible();
    expect(kept.getByText(/lets nobody remove it until/)).toBeVisible();
    expect(kept.getByText('It has expired')).toBeVisible();

    expect(kept.getByText('2 backups were found in stores')).toBeVisible();
    await user.click(
      kept.getByRole('button', { name: 'Apply the rule to them' }),
    );
    expect(portal.asked).toEqual([
      { what: 'accept found', with: { clusterRef: CLUSTER } },
    ]);
    await waitFor(() =>
      expect(kept.queryByText('2 backups were found in stores')).toBeNull(),
    );
  });

  it('saves an archive as it is stored, unless it is not encrypted', async () => {
    const archive = aBackup({ key: 'default/lab/x/lab.tar.gz.age' });
    portal.addCluster(CLUSTER, { backups: [archive] });
    const { unmount } = await open();
    await button(/^Restore the backup of/);
    await user.click((await region('Backups')).getAllByRole('row')[1]);
    await user.click(await button('Download'));
    await waitFor(() =>
      expect(saveFile).toHaveBeenCalledWith(expect.any(Blob), 'lab.tar.gz.age'),
    );
    unmount();

    portal = new InMemoryClusterBackup();
    const bare = aBackup({ isEncrypted: false });
    portal.addCluster(CLUSTER, { backups: [bare] });
    open();
    await button(/^Restore the backup of/);
    await user.click((await region('Backups')).getAllByRole('row')[1]);
    await button('Verify');
    expect(screen.queryByRole('button', { name: 'Download' })).toBeNull();
  });

  it('tells what was done to an archive, by whom and why', async () => {
    const backup = aBackup({
      hold: {
        by: 'user:default/ada',
        at: '2026-11-22T10:00:00.000Z',
        reason: 'Before the move',
      },
    });
    portal.addCluster(CLUSTER, { backups: [backup] });
    open();
    await button(/^Restore the backup of/);
    await user.click((await region('Backups')).getAllByRole('row')[1]);
    const custody = await region('Custody');
    expect(custody.getAllByRole('listitem')[0]).toHaveTextContent(
      /Hold placed by ada: Before the move$/,
    );
    expect(custody.getAllByRole('listitem').at(-1)).toHaveTextContent(/Taken/);
  });

  it('says on each button what keeps a person from it', async () => {
    const allowed: ClusterOverview['allowed'] = {
      create: { allowed: false },
      restore: { allowed: false, reason: 'Only its owners may restore it.' },
      approve: { allowed: false, reason: 'Only its owners may approve it.' },
      approveAlone: { allowed: false },
      manage: { allowed: false, reason: 'Only its owners may keep it.' },
      reveal: { allowed: false, reason: 'Only its owners may get in.' },
    };
    portal.addCluster(CLUSTER, { backups: [aBackup()], allowed });
    open();
    const restore = await button(/^Restore the backup of/);
    expect(restore).toHaveAccessibleDescription(
      'Only its owners may restore it.',
    );
    await user.click(restore);
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
    expect(await button('Check')).toHaveAccessibleDescription(
      /clusterBackup\.create/,
    );

    await user.click((await region('Backups')).getAllByRole('row')[1]);
    const keep = await button('Keep');
    expect(keep).toHaveAccessibleDescription('Only its owners may keep it.');
    await user.click(keep);
    expect(screen.queryByLabelText(/^Why it is kept/)).not.toBeInTheDocument();
  });
});

describe('a restore', () => {
  it('sends the key of that one archive and never the identity', async () => {
    const archive = await anArchive();
    const stranger = await anArchive();
    portal.setHeader(archive.header);
    portal.addCluster(CLUSTER, { backups: [aBackup()] });
    open();
    await user.click(await button(/^Restore the backup of/));
    const dialog = within(await screen.findByRole('dialog'));
    expect(dialog.getByText(/since .* is lost/)).toBeVisible();
    const submit = dialog.getByRole('button', { name: 'Restore production' });
    expect(submit).toBeDisabled();

    const confirmation = dialog.getByLabelText(/^Type production/);
    await user.type(confirmation, 'prodaction');
    expect(dialog.getByRole('alert')).toHaveTextContent('not the name');
    const identity = dialog.getByLabelText('age identity');
    await user.type(identity, stranger.identity);
    expect(submit).toBeDisabled();
    await user.clear(confirmation);
    await user.type(confirmation, 'production');
    await user.click(submit);
    expect(
      await dialog.findByText(/This identity does not open this archive/),
    ).toBeVisible();
    expect(identity).toHaveAccessibleDescription(/Nothing was sent/);
    expect(portal.asked).toEqual([]);

    await user.clear(identity);
    await user.type(identity, 'age1qqqq');
    await user.click(submit);
    expect(await dialog.findByText(/This is a recipient/)).toBeVisible();

    await user.upload(
      dialog.getByLabelText('Choose a file', { selector: 'input' }),
      new File(
        [`# created: today\n# public key: age1…\n${archive.identity}\n`],
        'identity.txt',
      ),
    );
    expect(await dialog.findByText('identity.txt is chosen')).toBeVisible();
    await user.click(submit);
    await screen.findByText('Restore queued');
    expect(portal.asked).toEqual([
      {
        what: 'restore',
        with: {
          clusterRef: CLUSTER,
          backupId: 'backup-1',
          confirmation: 'production',
          fileKey: archive.fileKey,
        },
      },
    ]);

    // What outlives the dialog in the browser.
    const kept = JSON.stringify([
      { ...localStorage },
      { ...sessionStorage },
      window.history.state,
      window.location.href,
      document.cookie,
      document.documentElement.outerHTML,
    ]);
    for (const secret of [archive.identity, archive.fileKey]) {
      expect(kept).not.toContain(secret);
    }
    expect(kept).not.toContain(stranger.identity);
    expect(atob(archive.fileKey)).toHaveLength(16);
    expect(JSON.stringify(portal.asked)).not.toContain('AGE-SECRET-KEY');
    expect(document.body.innerHTML).not.toContain('AGE-SECRET-KEY-1Q');
  });

  it('tells what becomes of user clusters, that Google does not support it, and where help is', async () => {
    const gdc = { type: 'admin' };
    const versions = { etcd: '3.5.21', gdc: '1.32.100-gke.42' };
    const createdAt = new Date(Date.now() - 9.5 * 24 * 3_600_000).toISOString();
    portal.addCluster(CLUSTER, {
      backups: [aBackup({ gdc, versions, createdAt })],
      expireAfterDays: 30,
      supportLink: { url: 'https://help.example.com/', title: 'Platform team' },
    });
    const clusters = (['back', 'forgotten', 'returns', 'same'] as const).map(
      change => ({ name: change, namespace: `cluster-${change}`, change }),
    );
    portal.managed = { clusters };
    open();
    await user.click(await button(/^Restore the backup of/));
    const dialog = within(await screen.findByRole('dialog'));
    expect(
      await dialog.findByText('User clusters that it manages'),
    ).toBeVisible();
    const told = dialog.getAllByRole('listitem').map(item => item.textContent);
    expect(told.slice(-3)).toEqual([
      'back: its spec goes back in time, to that of the backup.',
      'forgotten: was created after the backup, and is forgotten.',
      'returns: was deleted after the backup, and comes back.',
    ]);
    expect(
      dialog.getByText(/outside of bmctl is not a procedure that Google/),
    ).toBeVisible();
    expect(
      dialog.getByRole('link', { name: /^Platform team/ }),
    ).toHaveAttribute('href', 'https://help.example.com/');
    await user.click(dialog.getByText(/^Backup of/));
    for (const fact of [
      /\(in 20 days\)/,
      'admin',
      'etcd 3.5.21, GDC 1.32.100-gke.42',
    ]) {
      expect(dialog.getByText(fact)).toBeVisible();
    }
  });

  it('says why it is not known what becomes of user clusters, and asks of no other cluster', async () => {
    portal.addCluster(CLUSTER, {
      backups: [aBackup({ gdc: { type: 'hybrid' } })],
    });
    const fault = {
      code: 'api-unreachable',
      message: 'The API does not answer.',
      state: 'Nothing on the cluster was changed.',
      remedy: 'Look at it.',
    };
    portal.managed = {
      clusters: [{ name: 'shop', namespace: 'x', change: 'unknown' }],
      fault,
    };
    open();
    await user.click(await button(/^Restore the backup of/));
    const dialog = within(await screen.findByRole('dialog'));
    expect(await dialog.findByText('The API does not answer.')).toBeVisible();
    expect(dialog.getByText('shop').parentElement).toHaveTextContent(
      'how it is now is not known',
    );
  });

  it('says first what takes less, and backs up a survivor instead', async () => {
    portal.addCluster(CLUSTER, { backups: [aBackup()] });
    portal.assessment = {
      advice: 'back-up-survivor',
      message: 'etcd has lost its quorum. cp-1 still has its data.',
      remedy: 'Back up cp-1, and restore that backup.',
      survivor: 'cp-1',
    };
    open();
    await user.click(await button(/^Restore the backup of/));
    const dialog = within(await screen.findByRole('dialog'));
    expect(
      await dialog.findByText(/^The member that is left has later data/),
    ).toBeVisible();
    expect(dialog.getByText(/cp-1 still has its data/)).toBeVisible();
    await user.click(
      dialog.getByRole('button', { name: 'Back up the survivor' }),
    );
    const choices = within(await screen.findByRole('dialog'));
    expect(
      choices.getByRole('checkbox', { name: /^Even when etcd/ }),
    ).toBeChecked();
    const backUp = choices.getByRole('button', { name: 'Back up now' });
    expect(backUp).toBeDisabled();
    await user.type(choices.getByLabelText(/^Why it has to/), 'Two are dead.');
    await user.click(backUp);
    await screen.findByText('Backup queued');
    expect(portal.asked).toEqual([
      {
        what: 'backup',
        with: {
          clusterRef: CLUSTER,
          withoutQuorum: true,
          reason: 'Two are dead.',
        },
      },
    ]);
  });

  it('takes no identity where the archive is not encrypted', async () => {
    portal.addCluster(CLUSTER, { backups: [aBackup({ isEncrypted: false })] });
    open();
    await user.click(await button(/^Restore the backup of/));
    const dialog = within(await screen.findByRole('dialog'));
    expect(dialog.getByText(/This archive is not encrypted/)).toBeVisible();
    expect(dialog.queryByLabelText('age identity')).not.toBeInTheDocument();
    await user.type(dialog.getByLabelText(/^Type production/), 'production');
    await user.click(
      dialog.getByRole('button', { name: 'Restore production' }),
    );
    await screen.findByText('Restore queued');
    expect(portal.asked).toMatchObject([
      { what: 'restore', with: { backupId: 'backup-1', fileKey: undefined } },
    ]);
  });

  it('puts files back and leaves dead machines out where that is asked for', async () => {
    portal.addCluster(CLUSTER, { backups: [aBackup({ isEncrypted: false })] });
    open();
    await user.click(await button(/^Restore the backup of/));
    const dialog = within(await screen.findByRole('dialog'));
    await user.click(dialog.getByText('Lost machines and lost keys'));
    await user.click(dialog.getByRole('checkbox', { name: /^Put cert/ }));
    await user.type(
      dialog.getByLabelText('Dead control-plane machines'),
      'cp-3, cp-4',
    );
    await user.click(dialog.getByText('Override a refusal'));
    await user.click(dialog.getByRole('checkbox', { name: /^The clocks/ }));
    await user.type(dialog.getByLabelText(/^Type production/), 'production');
    const restore = dialog.getByRole('button', { name: 'Restore production' });
    expect(restore).toBeDisabled();
    await user.type(dialog.getByLabelText(/^Why it has to/), ' A fire. ');
    await user.click(restore);
    await waitFor(() => expect(portal.asked).toHaveLength(1));
    expect(portal.asked).toEqual([
      {
        what: 'restore',
        with: expect.objectContaining({
          withFiles: true,
          leaveOut: ['cp-3', 'cp-4'],
          overrides: ['clock-skew'],
          reason: 'A fire.',
        }),
      },
    ]);
  });

  it('ends with what is left to do, and with a way in for whoever may have one', async () => {
    portal.addCluster(CLUSTER, { backups: [aBackup()] });
    portal.addOperation({
      kind: 'restore',
      status: 'running',
      backupId: 'backup-1',
    });
    open();
    await screen.findByText('Restore running');
    expect(screen.queryByText('A way in')).not.toBeInTheDocument();
    portal.tell('operation-1', {
      status: 'succeeded',
      outageSeconds: 24,
      findings: [
        {
          check: 'what-next',
          level: 'reservation',
          code: 'node-stale',
          machine: 'worker-7',
          message: 'The kubelet of Node worker-7 does not answer for it.',
          remedy: 'kubectl delete node worker-7',
        },
      ],
    });
    expect(
      await screen.findByText(/kubectl delete node worker-7/),
    ).toBeVisible();
    await user.click(await button('Get a kubeconfig'));
    expect(await screen.findByText(/^Saved\. It ends at/)).toBeVisible();
    expect(saved).toEqual(['production-kubeconfig.yaml blob:13']);
  });

  it('cannot be left while it is being asked for, and says why it was refused', async () => {
    const archive = await anArchive();
    portal.setHeader(archive.header);
    portal.addCluster(CLUSTER, { backups: [aBackup()] });
    let refuse = (_: Error) => {};
    portal.startRestore = () => new Promise((_, reject) => (refuse = reject));
    open();
    await user.click(await button(/^Restore the backup of/));
    const dialog = within(await screen.findByRole('dialog'));
    await user.type(dialog.getByLabelText('age identity'), archive.identity);
    await user.type(dialog.getByLabelText(/^Type production/), 'production');
    await user.click(
      dialog.getByRole('button', { name: 'Restore production' }),
    );
    expect(await dialog.findByText('Starting the restore…')).toBeVisible();
    await user.keyboard('{Escape}');
    await user.click(dialog.getByRole('button', { name: 'Close' }));
    expect(screen.getByRole('dialog')).toBeVisible();

    refuse(new Error('Something else runs'));
    expect(await dialog.findByRole('alert')).toHaveTextContent(
      'Something else runs',
    );
    await user.keyboard('{Escape}');
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument();

    await user.click(await button(/^Restore the backup of/));
    expect(await screen.findByLabelText('age identity')).toHaveValue('');
  });
});

describe('an interrupted restore', () => {
  const interrupted = {
    kind: 'restore',
    status: 'interrupted',
    backupId: 'backup-1',
    needsArchive: false,
    step: { name: 'park-etcd', title: 'Stop etcd' },
  } as const;

  it('is resumed with the key, where that is needed once more', async () => {
    const archive = await anArchive();
    portal.setHeader(archive.header);
    portal.addCluster(CLUSTER, { backups: [aBackup()] });
    portal.addOperation({ ...interrupted, needsArchive: true });
    open();
    expect(await screen.findByText(/It stands at: Stop etcd/)).toBeVisible();
    expect(await button('Back up now')).toHaveAccessibleDescription(
      /Resume or undo it first/,
    );
    await user.click(await button('Resume'));
    const dialog = within(await screen.findByRole('dialog'));
    await user.type(
      await dialog.findByLabelText('age identity'),
      archive.identity,
    );
    await user.click(dialog.getByRole('button', { name: 'Resume' }));
    await screen.findByText('Restore running');
    expect(portal.asked).toEqual([
      {
        what: 'resume',
        with: { id: 'operation-1', fileKey: archive.fileKey },
      },
    ]);
    portal.tell('operation-1', { status: 'succeeded', outageSeconds: 24 });
    expect(
      await screen.findByText('Its API was away for 24 sec.'),
    ).toBeVisible();
  });

  it('is resumed without a key where the archive is not encrypted', async () => {
    portal.addCluster(CLUSTER, { backups: [aBackup({ isEncrypted: false })] });
    portal.addOperation({ ...interrupted, needsArchive: true });
    open();
    await user.click(await button('Resume'));
    const dialog = within(await screen.findByRole('dialog'));
    const submit = dialog.getByRole('button', { name: 'Resume' });
    await waitFor(() => expect(submit).toBeEnabled());
    await user.click(submit);
    await screen.findByText('Restore running');
    expect(portal.asked).toEqual([
      { what: 'resume', with: { id: 'operation-1' } },
    ]);
  });

  it('is undone', async () => {
    portal.addCluster(CLUSTER);
    portal.addOperation(interrupted);
    open();
    await user.click(await button('Undo'));
    const dialog = within(await screen.findByRole('dialog'));
    await user.click(dialog.getByRole('button', { name: 'Undo the restore' }));
    await screen.findByText('Restore being undone');
    expect(portal.asked).toEqual([
      { what: 'undo', with: { id: 'operation-1' } },
    ]);
    portal.tell('operation-1', { status: 'undone' });
    expect(await screen.findByText(/The restore was taken back/)).toBeVisible();
  });

  it('is undone with the key where nothing else tells how the machines are reached', async () => {
    const archive = await anArchive();
    portal.setHeader(archive.header);
    portal.addCluster(CLUSTER, { backups: [aBackup()] });
    portal.addOperation({ ...interrupted, needsArchive: undefined });
    open();
    await user.click(await button('Undo'));
    const dialog = within(await screen.findByRole('dialog'));
    const identity = await dialog.findByLabelText('age identity');
    expect(
      dialog.getByText(/The machines have not told yet how far it got/),
    ).toBeVisible();
    const submit = dialog.getByRole('button', { name: 'Undo the restore' });
    expect(submit).toBeEnabled();
    await user.type(identity, archive.identity);
    await user.click(submit);
    await screen.findByText('Restore being undone');
    expect(portal.asked).toEqual([
      { what: 'undo', with: { id: 'operation-1', fileKey: archive.fileKey } },
    ]);
  });

  it('is not undone once an API server may have run', async () => {
    portal.addCluster(CLUSTER);
    portal.addOperation({ ...interrupted, onlyForward: true });
    open();
    const undo = await button('Undo');
    expect(undo).toHaveAccessibleDescription(/can only be finished/);
    await user.click(undo);
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
    await user.click(await button('Resume'));
    expect(await screen.findByRole('dialog')).toBeVisible();
    expect(screen.queryByLabelText('age identity')).not.toBeInTheDocument();
  });
});

describe('copies of a backup', () => {
  const fault = {
    code: 'store-full',
    message: 'Store vault is full.',
    state: 'Nothing was kept.',
    remedy: 'Free space there.',
  };
  const checkedAt = new Date().toISOString();
  const missing = {
    store: 'vault',
    state: 'missing',
    checkedAt,
    fault,
  } as const;
  const good = { store: 'local', state: 'good', checkedAt } as const;

  it('says that one is missing, why, and has them read again', async () => {
    const backup = aBackup({ copies: [good, missing] });
    const reason = {
      code: 'copy-missing' as const,
      level: 'at-risk' as const,
      message: 'There is no copy of the last backup in vault.',
      remedy: 'It is made again.',
    };
    portal.addCluster(CLUSTER, {
      backups: [backup],
      protection: { level: 'at-risk', reasons: [reason] },
    });
    open();
    expect(
      await screen.findByText(`${reason.message} ${reason.remedy}`),
    ).toBeVisible();
    expect(screen.getByRole('img', { name: 'At risk' })).toBeVisible();
    expect(screen.getAllByText(/1 of 2 copies/)).not.toHaveLength(0);

    const table = (await screen.findAllByRole('grid'))[0];
    await user.click(within(table).getAllByRole('row')[1]);
    const dialog = within(await screen.findByRole('dialog'));
    expect(dialog.getByText(/^local: good, read/)).toBeVisible();
    expect(dialog.getByText(/^vault: none, seen/)).toBeVisible();
    expect(
      dialog.getByText('Store vault is full. Free space there.'),
    ).toBeVisible();
    await user.click(dialog.getByRole('button', { name: 'Verify' }));
    await screen.findByText('Verification queued');
    expect(portal.asked).toEqual([
      { what: 'verify', with: { clusterRef: CLUSTER, backupId: backup.id } },
    ]);

    Object.assign(backup, { copies: [good, { ...good, store: 'vault' }] });
    portal.tell('operation-1', { status: 'succeeded', endedAt: checkedAt });
    await screen.findByText('Verification succeeded');
    await waitFor(() => expect(screen.queryByText(/1 of 2 copies/)).toBeNull());
  });

  it('says that a backup without a good copy cannot be restored', async () => {
    const reason = {
      code: 'no-good-copy' as const,
      level: 'unprotected' as const,
      message: 'No copy of the last backup is good.',
      remedy: 'Take a backup now.',
    };
    portal.addCluster(CLUSTER, {
      backups: [aBackup({ copies: [missing] })],
      protection: { level: 'unprotected', reasons: [reason] },
    });
    open();
    expect(
      await screen.findByText(/^No copy of the last backup/),
    ).toBeVisible();
    expect(screen.getByRole('img', { name: 'Unprotected' })).toBeVisible();
  });
});

describe('a backup that is to be kept', () => {
  const openNewest = async () => {
    await screen.findAllByRole('button', { name: /^Restore the backup of/ });
    await user.click((await region('Backups')).getAllByRole('row')[1]);
    return within(await screen.findByRole('dialog'));
  };

  it('is held for a reason, says so, and is released', async () => {
    portal.addCluster(CLUSTER, {
      backups: [aBackup(), aBackup({ id: 'backup-2' })],
    });
    open();
    const details = await openNewest();
    await user.click(details.getByRole('button', { name: 'Keep' }));
    const question = within(
      await screen.findByRole('dialog', { name: /^Keep the backup of/ }),
    );
    const submit = question.getByRole('button', { name: 'Keep' });
    const reason = question.getByLabelText(/^Why it is kept/);
    expect(submit).toBeDisabled();
    await user.type(reason, '  ');
    expect(submit).toBeDisabled();
    await user.type(reason, 'Before the migration ');
    await user.click(submit);
    expect(
      await screen.findByText(/^Kept by ada since .*: Before the migration$/),
    ).toBeVisible();
    expect(portal.asked).toEqual([
      {
        what: 'hold',
        with: { id: 'backup-1', reason: 'Before the migration' },
      },
    ]);
    const dialog = await screen.findByRole('dialog');
    expect(dialog).toContainElement(await button('Release'));
    await waitFor(() =>
      expect(dialog).toContainElement(document.activeElement as HTMLElement),
    );
    await user.keyboard('{Escape}');
    const backups = await region('Backups');
    const rows = backups.getAllByRole('row').map(row => row.textContent);
    expect(rows.map(text => /kept/.test(text!))).toEqual([false, true, false]);

    await openNewest();
    await user.click(await button('Release'));
    expect(await button('Keep')).toBeVisible();
    expect(screen.queryByText(/^Kept by/)).not.toBeInTheDocument();
    await user.keyboard('{Escape}');
    expect(backups.queryByText(/kept/)).not.toBeInTheDocument();
  });

  it('says which stores did not take the hold, and why it was not released', async () => {
    const fault = {
      code: 'store-full',
      message: 'Store vault is full.',
      state: 'Nothing was kept.',
      remedy: 'Free space there.',
    };
    portal.holdFailures = [{ store: 'vault', fault }];
    portal.addCluster(CLUSTER, { backups: [aBackup()] });
    open();
    await openNewest();
    await user.click(await button('Keep'));
    const question = within(
      await screen.findByRole('dialog', { name: /^Keep the backup of/ }),
    );
    await user.type(
      question.getByLabelText(/^Why it is kept/),
      'Before the migration',
    );
    await user.click(question.getByRole('button', { name: 'Keep' }));
    expect(await screen.findByText(/^Not every store took it/)).toBeVisible();
    expect(screen.getByText('vault: Store vault is full.')).toBeVisible();

    portal.releaseBackup = async () => {
      throw Object.assign(new Error('The hold is not gone from vault.'), {
        code: 'hold-not-released',
        remedy: 'Release it again.',
      });
    };
    await user.click(await button('Release'));
    expect(await screen.findByRole('alert')).toHaveTextContent(
      /not gone from vault.*Release it again/,
    );
    expect(screen.getByText(/^Kept by ada/)).toBeVisible();
  });
});

describe('a backup of a cluster that is managed', () => {
  it('is compared with what is there, and single Secrets are put back', async () => {
    const archive = await anArchive();
    portal.setHeader(archive.header);
    portal.addCluster(CLUSTER, {
      backups: [aBackup({ gdc: { type: 'user', managedBy: 'admin' } })],
    });
    portal.differing = [
      {
        kind: 'Secret',
        namespace: 'cluster-shop',
        name: 'ssh-key',
        difference: 'differs',
        resourceVersion: '7',
        fields: [{ name: 'id_rsa', change: 'changed' }],
      },
      {
        kind: 'Secret',
        namespace: 'anthos-creds',
        name: 'gke-connect',
        difference: 'missing',
        fields: [],
      },
      {
        kind: 'Cluster',
        namespace: 'cluster-shop',
        name: 'shop',
        difference: 'differs',
        resourceVersion: '9',
        fields: [{ name: 'spec.profile', change: 'added' }],
      },
    ];
    portal.putBack = {
      created: [],
      updated: ['Secret cluster-shop/ssh-key'],
      same: [],
      failed: [],
    };
    open();
    await screen.findAllByRole('button', { name: /^Restore the backup of/ });
    await user.click((await region('Backups')).getAllByRole('row')[1]);
    const details = within(await screen.findByRole('dialog'));
    expect(details.getByText('admin')).toBeVisible();
    await user.click(details.getByRole('button', { name: 'Compare' }));
    const dialog = async () =>
      within(await screen.findByRole('dialog', { name: /^What is not as in/ }));
    const asking = await dialog();
    await user.type(asking.getByLabelText('age identity'), archive.identity);
    await user.click(asking.getByRole('button', { name: 'Compare' }));

    expect(await screen.findByText('id_rsa was changed since')).toBeVisible();
    const shown = await dialog();
    expect(shown.getByText('spec.profile was added since')).toBeVisible();
    const submit = shown.getByRole('button', { name: 'Put back' });
    expect(submit).toBeDisabled();
    await user.click(shown.getByLabelText(/^cluster-shop.ssh-key/));
    await user.click(submit);
    expect(
      await screen.findByText('Secret cluster-shop/ssh-key'),
    ).toBeVisible();
    const { fileKey } = archive;
    expect(portal.asked).toEqual([
      { what: 'compare', with: { id: 'backup-1', fileKey } },
      {
        what: 'put-back',
        with: {
          id: 'backup-1',
          fileKey,
          missing: false,
          secrets: [
            {
              namespace: 'cluster-shop',
              name: 'ssh-key',
              resourceVersion: '7',
            },
          ],
        },
      },
    ]);
  });
});

describe('recipients', () => {
  it('are proven with an identity that is never sent', async () => {
    const { identity, recipient } = await anArchive();
    const other = await anArchive();
    portal.addCluster(CLUSTER, {
      backups: [aBackup()],
      recipients: [
        { recipient, isProven: false },
        { recipient: other.recipient, isProven: true },
      ],
    });
    open();
    await user.click(await button('Prove the identity'));
    const dialog = within(await screen.findByRole('dialog'));
    const field = dialog.getByLabelText(/age identity/);

    await user.type(field, other.identity);
    await user.click(dialog.getByRole('button', { name: 'Prove' }));
    expect(await dialog.findByRole('alert')).toHaveTextContent(
      /^Backups are not encrypted to this identity/,
    );
    await user.clear(field);
    await user.type(field, identity);
    await user.click(dialog.getByRole('button', { name: 'Prove' }));
    await waitFor(() =>
      expect(screen.queryByRole('dialog')).not.toBeInTheDocument(),
    );
    await waitFor(() =>
      expect(
        screen.queryByRole('button', { name: 'Prove the identity' }),
      ).toBeNull(),
    );
    expect(portal.asked.map(({ what }) => what)).toEqual([
      'challenge',
      'challenge',
      'prove',
    ]);
    expect(portal.asked.at(-1)!.with).toEqual({
      clusterRef: CLUSTER,
      recipient,
      expiresAt: expect.any(String),
      answer: 'the answer',
    });
    expect(JSON.stringify(portal.asked)).not.toContain('AGE-SECRET-KEY');
  });
});

describe('a restore that takes a second person', () => {
  const needsSecondPerson = true;
  const backups = [aBackup({ isEncrypted: false })];
  const asked = (status: string) =>
    region(new RegExp(`^A (request for a )?restore ${status}`));

  it('is requested with a reason, and without a key', async () => {
    portal.addCluster(CLUSTER, { backups, needsSecondPerson });
    open();
    await user.click(await button(/^Request a restore of the backup of/));
    const dialog = within(await screen.findByRole('dialog'));
    expect(dialog.getByText(/takes a second person/)).toBeVisible();
    expect(dialog.queryByLabelText(/^Type/)).not.toBeInTheDocument();
    const submit = dialog.getByRole('button', { name: 'Request the restore' });
    expect(submit).toBeDisabled();
    await user.type(dialog.getByLabelText(/^Why it is to/), 'A loss.');
    await user.click(submit);
    const request = await asked('waits for a second person');
    expect(request.getByText('A loss.')).toBeVisible();
    expect(portal.asked).toEqual([
      {
        what: 'request',
        with: { clusterRef: CLUSTER, backupId: 'backup-1', reason: 'A loss.' },
      },
    ]);
  });

  it('shows what was asked for and found, and is approved by another', async () => {
    portal.addCluster(CLUSTER, { backups, needsSecondPerson });
    portal.addRequest({
      overrides: ['clock-skew'],
      check: {
        id: 'c',
        status: 'succeeded',
        findings: [
          {
            check: 'clocks',
            level: 'refusal',
            code: 'clock-skew',
            message: 'It is late.',
            remedy: 'Set it.',
          },
        ],
      },
    });
    open();
    const request = await asked('waits');
    expect(request.getByText('A namespace was deleted.')).toBeVisible();
    expect(request.getByText('overriding clock-skew')).toBeVisible();
    expect(request.getByText('It is late.')).toBeVisible();
    expect(request.getByText('root@10.0.0.12:22')).toBeInTheDocument();
    expect(
      request.queryByRole('button', { name: 'Approve alone' }),
    ).not.toBeInTheDocument();
    await user.click(request.getByRole('button', { name: 'Approve' }));
    const dialog = within(await screen.findByRole('dialog'));
    await user.click(dialog.getByRole('button', { name: 'Approve' }));
    const approved = await asked('is approved');
    expect(
      approved.getByRole('button', { name: 'Start the restore' }),
    ).toHaveAccessibleDescription('Only who requested it starts it.');
    expect(portal.asked).toEqual([
      { what: 'approve', with: { id: 'request-1' } },
    ]);
  });

  it('is not approved by its requester, nor before its check has ended', async () => {
    portal.addCluster(CLUSTER, { needsSecondPerson });
    portal.addRequest({ requestedBy: ME });
    portal.addRequest({ check: { id: 'c', status: 'running' } });
    open();
    await screen.findAllByRole('region', { name: /^A restore waits/ });
    await waitFor(() => {
      const buttons = screen.getAllByRole('button', { name: 'Approve' });
      expect(buttons[0]).toHaveAccessibleDescription(/^The check has not/);
      expect(buttons[1]).toHaveAccessibleDescription(/^You requested it/);
    });
    await user.click(await button('Withdraw'));
    await waitFor(() =>
      expect(portal.asked).toEqual([
        { what: 'withdraw', with: { id: 'request-1' } },
      ]),
    );
  });

  it('is rejected, and approved alone in an emergency, with a reason', async () => {
    portal.addCluster(CLUSTER, {
      needsSecondPerson,
      allowed: {
        create: { allowed: true },
        restore: { allowed: true },
        approve: { allowed: true },
        approveAlone: { allowed: true },
        manage: { allowed: true },
        reveal: { allowed: true },
      },
    });
    portal.addRequest({ requestedBy: ME });
    open();
    for (const name of ['Reject', 'Approve alone']) {
      await user.click(await button(name));
      const dialog = within(await screen.findByRole('dialog'));
      const submit = dialog.getByRole('button', { name });
      expect(submit).toBeDisabled();
      if (name === 'Reject') {
        await user.click(dialog.getByRole('button', { name: 'Cancel' }));
        continue;
      }
      expect(dialog.getByText(/^No second person looks/)).toBeVisible();
      await user.type(dialog.getByLabelText(/^Why/), 'It burns.');
      await user.click(submit);
    }
    const approved = await asked('is approved');
    expect(approved.getByText(/alone, in an emergency/)).toBeVisible();
    expect(portal.asked).toEqual([
      {
        what: 'approve',
        with: { id: 'request-1', reason: 'It burns.', emergency: true },
      },
    ]);
  });

  it('is started by its requester with what was approved', async () => {
    portal.addCluster(CLUSTER, { backups, needsSecondPerson });
    portal.addRequest({ requestedBy: ME, status: 'approved' });
    open();
    await waitFor(async () =>
      expect(
        await button('Start the restore'),
      ).not.toHaveAccessibleDescription(),
    );
    await user.click(await button('Start the restore'));
    const dialog = within(await screen.findByRole('dialog'));
    await dialog.findByText(/This archive is not encrypted/);
    await user.type(dialog.getByLabelText(/^Type production/), 'production');
    await user.click(
      dialog.getByRole('button', { name: 'Restore production' }),
    );
    await waitFor(() =>
      expect(portal.asked).toEqual([
        {
          what: 'restore',
          with: {
            clusterRef: CLUSTER,
            requestId: 'request-1',
            confirmation: 'production',
            fileKey: undefined,
          },
        },
      ]),
    );
  });

  it('says why it is void', async () => {
    portal.addCluster(CLUSTER, { needsSecondPerson });
    const voidBecause = ['A restore of the cluster was begun since.'];
    portal.addRequest({ status: 'void', voidBecause });
    open();
    const request = await asked('is void');
    expect(request.getByText(voidBecause[0])).toBeVisible();
    expect(
      request.queryByRole('button', { name: /Approve|Start/ }),
    ).not.toBeInTheDocument();
  });
});
