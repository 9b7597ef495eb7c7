import { mockServices, TestDatabases } from '@backstage/backend-test-utils';
import { catalogServiceMock } from '@backstage/plugin-catalog-node/testUtils';
import {
  Backup,
  Operation,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { clusterEntity } from '../__testUtils__/portal';
import { BackupRecordStore } from '../database/BackupRecordStore';
import { KnownProtection } from '../database/KnownProtection';
import { openDatabase } from '../database/openDatabase';
import { OperationStore } from '../database/OperationStore';
import { RecipientProofs } from '../database/RecipientProofs';
import { ConfiguredClusters } from '../operations/ConfiguredClusters';
import { lookAtProtection } from './watchProtection';

const CLUSTER = 'resource:default/lab';
const ADA = 'user:default/ada';
const signal = new AbortController().signal;

const databases = TestDatabases.create({ ids: ['SQLITE_3', 'POSTGRES_15'] });

describe.each(databases.eachSupportedId())(
  'the owners of a cluster, in %s,',
  databaseId => {
    const notifyOwners = jest.fn();
    let state: {
      lastBackup?: Backup;
      lastCheck?: Operation;
      recent: Operation[];
    };
    let look: () => Promise<void>;
    let known: KnownProtection;

    beforeEach(async () => {
      const knex = await databases.init(databaseId);
      await openDatabase({ getClient: async () => knex });
      notifyOwners.mockReset();
      state = { recent: [] };
      known = new KnownProtection(knex);
      const watching = {
        auth: mockServices.auth(),
        catalog: catalogServiceMock({ entities: [clusterEntity('lab', ADA)] }),
        logger: mockServices.logger.mock(),
        clusters: {
          clusterRefs: [CLUSTER],
          recipients: [],
          expireAfterDays: 365,
          name: () => 'lab',
          whyNoBackup: () => undefined,
          rightStores: () => [],
        } as unknown as ConfiguredClusters,
        operations: {
          recent: async () => state.recent,
          lastCheck: async () => state.lastCheck,
        } as unknown as OperationStore,
        backups: {
          last: async () => state.lastBackup,
        } as unknown as BackupRecordStore,
        recipientProofs: { of: async () => [] } as unknown as RecipientProofs,
        protectionOf: () => ({
          ...{ secondPerson: false, maxAgeHours: 24 },
          schedule: { cron: '0 2 * * *', timeZone: 'UTC', jitterMinutes: 0 },
        }),
        known,
        notifyOwners,
      };
      look = () => lookAtProtection(watching, signal);
    });

    const backup = (hours: number, copies = 'good') =>
      ({
        createdAt: new Date(Date.now() - hours * 3_600_000).toISOString(),
        copies: ['local', 'vault'].map((store, i) => ({
          store,
          state: i ? copies : 'good',
        })),
        reservations: [],
        requestedBy: ADA,
      } as unknown as Backup);
    const told = () => {
      const { calls } = notifyOwners.mock;
      notifyOwners.mockClear();
      return calls.map(([, { title, description, severity, except }]) => ({
        title,
        description,
        severity,
        except,
      }));
    };

    it('are told once of what became worse, of each thing by itself, and of what became better', async () => {
      state.lastBackup = backup(1);
      await look();
      await look();
      expect(told()).toEqual([]);

      state.lastBackup = backup(25);
      await look();
      await look();
      expect(told()).toEqual([
        {
          title: `${CLUSTER} is at risk`,
          description: expect.stringMatching(
            /^The last backup is 25 hours old.* Take a backup now/,
          ),
          severity: 'normal',
          except: undefined,
        },
      ]);

      state.recent = [
        {
          kind: 'backup',
          status: 'failed',
          requestedBy: ADA,
          fault: { message: 'Store vault is full.', remedy: 'Free space.' },
        } as Operation,
      ];
      await look();
      expect(told()).toEqual([
        expect.objectContaining({
          description:
            'The last attempt at a backup failed: Store vault is full. Free space.',
          except: ADA,
        }),
      ]);

      state = { lastBackup: backup(0, 'missing'), recent: [] };
      await look();
      expect(told()).toEqual([
        expect.objectContaining({
          title: `${CLUSTER} is at risk`,
          description: expect.stringContaining('no copy of the last backup'),
        }),
      ]);

      state.lastBackup = backup(0);
      await look();
      expect(told()).toEqual([
        {
          title: `${CLUSTER} is protected again`,
          description: 'Its last backup is as it should be.',
          severity: 'low',
          except: undefined,
        },
      ]);

      state.lastBackup = undefined;
      await look();
      expect(told()).toEqual([
        expect.objectContaining({
          title: `${CLUSTER} is unprotected`,
          severity: 'high',
        }),
      ]);
      state.lastBackup = backup(0);
      await look();
      expect(told()).toEqual([expect.objectContaining({ except: ADA })]);
    });

    it('are told when it could not be restored any more, and when it could again', async () => {
      const check = (code?: string, requestedBy = 'plugin:cluster-backup') =>
        ({
          kind: 'check',
          status: 'succeeded',
          requestedBy,
          startedAt: new Date(Date.now() - 60_000).toISOString(),
          findings: code
            ? [
                {
                  check: 'archive-ssh-key',
                  level: 'reservation',
                  code,
                  message: 'The SSH key of the last backup opens nothing.',
                  remedy: 'Back up again.',
                },
              ]
            : [],
        } as unknown as Operation);
      state = { lastBackup: backup(1), lastCheck: check(), recent: [] };
      await look();
      expect(told()).toEqual([]);

      state.lastCheck = check('archive-ssh-key-refused');
      await look();
      await look();
      expect(told()).toEqual([
        {
          title: `${CLUSTER} is at risk`,
          description:
            'A restore would not succeed as things are: The SSH key of the last backup opens nothing. Back up again.',
          severity: 'normal',
          except: 'plugin:cluster-backup',
        },
      ]);

      // Whoever looked again knows; so does whoever took a backup that fits.
      state.lastCheck = check(undefined, ADA);
      await look();
      expect(told()).toEqual([
        expect.objectContaining({
          title: `${CLUSTER} is protected again`,
          except: ADA,
        }),
      ]);
      state.lastCheck = check('archive-ssh-key-refused');
      await look();
      told();
      state.lastBackup = backup(0);
      await look();
      expect(told()).toEqual([
        expect.objectContaining({
          title: `${CLUSTER} is protected again`,
          except: ADA,
        }),
      ]);
    });

    it('are told again where it was not written down that they were', async () => {
      state.lastBackup = backup(1);
      await look();
      state.lastBackup = backup(25);
      jest.spyOn(known, 'record').mockRejectedValueOnce(new Error('killed'));
      await look();
      await look();
      expect(told()).toHaveLength(2);
    });
  },
);
