import {
  mockCredentials,
  mockServices,
  TestDatabases,
} from '@backstage/backend-test-utils';
import { Entity } from '@backstage/catalog-model';
import { catalogServiceMock } from '@backstage/plugin-catalog-node/testUtils';
import { ConfigReader } from '@backstage/config';
import { Knex } from 'knex';
import {
  clusterEntity,
  groupEntity,
  userEntity,
} from '../__testUtils__/portal';
import { ClusterOwners } from '../database/ClusterOwners';
import { openDatabase } from '../database/openDatabase';
import { Ownership } from './Ownership';
import { pinnedOwners } from './pinnedOwners';
import { lookAtOwners } from './watchOwners';

const PLATFORM = 'group:default/platform';
const INTRUDERS = 'group:default/intruders';
const REF = 'resource:default/lab';
const directory = [
  groupEntity('platform'),
  groupEntity('storage', PLATFORM),
  groupEntity('disks', 'group:default/storage'),
  groupEntity('one', 'group:default/other'),
  groupEntity('other', 'group:default/one'),
  groupEntity('intruders'),
];
const pins = (clusters: object[]) =>
  pinnedOwners(new ConfigReader({ clusterBackup: { clusters } }));

function ownershipOf(
  entities: Entity[],
  options: { pinned?: Map<string, string[]>; record?: ClusterOwners } = {},
) {
  const {
    pinned = new Map(),
    record = { see: async (_: string, owners: string[]) => ({ owners }) },
  } = options;
  return new Ownership({
    catalog: catalogServiceMock({ entities }),
    auth: mockServices.auth(),
    userInfo: mockServices.userInfo(),
    record: record as ClusterOwners,
    pinned,
  });
}

describe('an owner', () => {
  const me = mockCredentials.user();
  const isMine = async (owner: string, ...groups: string[]) => {
    const ownership = ownershipOf([
      ...directory,
      userEntity('mock', ...groups),
    ]);
    const cluster = await ownership.of(clusterEntity('lab', owner));
    const mine = await ownership.belongings(me);
    return cluster.owners.some(each => mine.has(each));
  };

  it.each([
    ['the person', 'user:default/mock', []],
    ['the group', PLATFORM, [PLATFORM]],
    ['whatever its case', 'Group:default/Platform', [PLATFORM]],
    ['a group within', PLATFORM, ['group:default/storage']],
    ['a group within one within', PLATFORM, ['group:default/disks']],
    ['a circle of groups', 'group:default/one', ['group:default/other']],
  ])('is %s', async (_, owner, groups) => {
    expect(await isMine(owner, ...groups)).toBe(true);
  });

  it.each([
    ['of another group', PLATFORM, [INTRUDERS]],
    ['of a group above', 'group:default/disks', [PLATFORM]],
    [
      'of a group that is not in the catalog',
      'group:default/gone',
      ['group:default/gone'],
    ],
    ['of none', PLATFORM, []],
  ])('is nobody %s', async (_, owner, groups) => {
    expect(await isMine(owner, ...groups)).toBe(false);
  });

  it('is not the session of a person who is not in the catalog', async () => {
    const ownership = ownershipOf(directory);
    const cluster = await ownership.of(
      clusterEntity('lab', 'user:default/mock'),
    );
    const mine = await ownership.belongings(me);
    expect(cluster.owners.some(each => mine.has(each))).toBe(false);
  });
});

describe('owners that the configuration pins', () => {
  it('count instead of those of the catalog', async () => {
    const pinned = pins([{ name: 'lab', owners: ['group:platform'] }]);
    const ownership = ownershipOf(directory, { pinned });
    expect(await ownership.of(clusterEntity('lab', INTRUDERS))).toEqual({
      owners: [PLATFORM],
      isPinned: true,
    });
    expect(await ownership.of(clusterEntity('shop', INTRUDERS))).toEqual({
      owners: [INTRUDERS],
      isPinned: false,
    });
  });

  it.each([
    ['are not references', { name: 'lab', owners: ['platform'] }],
    ['are nobody', { name: 'lab', owners: [] }],
    ['are of no entity', { name: 'lab', entityRef: ':', owners: ['group:x'] }],
  ])('are refused where they %s', (_, cluster) => {
    expect(() => pins([cluster])).toThrow(
      expect.objectContaining({ code: 'configuration-wrong' }),
    );
  });
});

const databases = TestDatabases.create({
  ids: ['SQLITE_3', 'POSTGRES_15'],
});

describe.each(databases.eachSupportedId())('owners on record, %s', id => {
  let knex: Knex;
  let record: ClusterOwners;
  beforeEach(async () => {
    knex = await databases.init(id);
    await openDatabase({ getClient: async () => knex });
    record = new ClusterOwners(knex);
  });
  const see = (...owners: string[]) => record.see(REF, owners);
  const hoursPass = (hours: number) =>
    knex('cluster_owners').decrement('next_since', hours * 3_600_000);

  it('count from the first sight, and another a day later', async () => {
    expect(await see(PLATFORM)).toEqual({ owners: [PLATFORM] });
    const changed = await see(INTRUDERS);
    expect(changed).toEqual({
      owners: [PLATFORM],
      next: {
        owners: [INTRUDERS],
        since: expect.any(String),
        countsFrom: expect.any(String),
      },
    });
    const { since, countsFrom } = changed.next!;
    expect(Date.parse(countsFrom) - Date.parse(since)).toBe(24 * 3_600_000);
    await hoursPass(23.9);
    expect((await see(INTRUDERS)).owners).toEqual([PLATFORM]);
    await hoursPass(0.2);
    expect(await see(INTRUDERS)).toEqual({ owners: [INTRUDERS] });
  });

  it('do not count by being changed again and again, nor when the change is taken back', async () => {
    await see(PLATFORM);
    await see(INTRUDERS);
    await hoursPass(23);
    await see(INTRUDERS, 'group:default/more');
    await hoursPass(2);
    expect((await see(INTRUDERS)).owners).toEqual([PLATFORM]);
    await hoursPass(23);
    expect(await see(PLATFORM)).toEqual({ owners: [PLATFORM] });
    expect((await see(INTRUDERS)).owners).toEqual([PLATFORM]);
  });

  it('are the same on every replica that looks at once', async () => {
    await Promise.all([1, 2, 3].map(() => see(PLATFORM)));
    await Promise.all([1, 2, 3].map(() => see(INTRUDERS)));
    expect(await knex('cluster_owners')).toHaveLength(1);
    expect(await record.untold()).toHaveLength(1);
  });

  it('tell the audit and those of before of a change, once', async () => {
    const events: object[] = [];
    const send = jest.fn();
    const look = (owner: string) => {
      const entities = [clusterEntity('lab', owner), ...directory];
      return lookAtOwners({
        catalog: catalogServiceMock({ entities }),
        auth: mockServices.auth(),
        auditor: mockServices.auditor.mock({
          createEvent: async event => {
            events.push(event);
            return { success: async () => {}, fail: async () => {} };
          },
        }),
        notifications: { send },
        logger: mockServices.logger.mock(),
        ownership: ownershipOf(entities, { record }),
        record,
        clusterRefs: [REF],
      });
    };
    await look(PLATFORM);
    expect(events).toEqual([]);
    send.mockRejectedValueOnce(new Error('There are no notifications here'));
    await look(INTRUDERS);
    await look(INTRUDERS);
    expect(events).toEqual([
      expect.objectContaining({
        eventId: 'owner-change',
        severityLevel: 'high',
        meta: expect.objectContaining({ clusterRef: REF, to: INTRUDERS }),
      }),
    ]);
    expect(send).toHaveBeenCalledTimes(1);
    expect(send.mock.calls[0][0].recipients.entityRef).toEqual([PLATFORM]);
  });
});
