import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer, Server } from 'node:http';
import { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { metricsServiceFactory } from '@backstage/backend-defaults/alpha';
import { TestBackend, TestDatabases } from '@backstage/backend-test-utils';
import { metrics } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { parse } from 'yaml';
import { clusterEntity, startPortal } from '../__testUtils__/portal';
import {
  DatabaseBackupRecordStore,
  recordCopies,
} from '../database/DatabaseBackupRecordStore';
import { DatabaseOperationStore } from '../database/DatabaseOperationStore';
import { KnownProtection } from '../database/KnownProtection';
import { openDatabase } from '../database/openDatabase';

const RULES = join(__dirname, '../../prometheus');
const ALERTS = join(__dirname, '../__testUtils__/alerts.yaml');
const LAB = 'resource:default/lab';
const CREATED = Date.parse('2026-11-22T02:00:00Z');

const databases = TestDatabases.create({ ids: ['SQLITE_3', 'POSTGRES_15'] });

describe.each(databases.eachSupportedId())('metrics, in %s,', databaseId => {
  let backend: TestBackend;
  let provider: MeterProvider;
  let server: Server;
  let scraped: string;

  beforeAll(async () => {
    const exporter = new PrometheusExporter({ preventServerStart: true });
    provider = new MeterProvider({ readers: [exporter] });
    metrics.setGlobalMeterProvider(provider);
    server = createServer((request, response) =>
      exporter.getMetricsRequestHandler(request, response),
    ).listen(0, '127.0.0.1');

    const knex = await databases.init(databaseId);
    await openDatabase({ getClient: async () => knex });
    const backups = new DatabaseBackupRecordStore(knex);
    for (const [name, age] of [
      ['new', 0],
      ['old', 1],
    ] as const) {
      await backups.recordFound('vault', {
        ...{ key: `default/lab/${name}`, clusterRef: LAB, isEncrypted: true },
        ...{ size: 7, snapshotSize: 7, revision: 1, member: 'cp-1', nodes: [] },
        ...{ versions: { etcd: '3.5.16' }, sha256: '', signer: '' },
        ...{ isBeforeRestore: false, reservations: [] },
        createdAt: new Date(CREATED - age * 86_400_000).toISOString(),
      });
    }
    const { backups: both } = await backups.page(LAB, { limit: 2 });
    await recordCopies(knex, both[1].id, [{ store: 'vault', state: 'good' }]);
    await new KnownProtection(knex).record(LAB, {
      ...{ level: 'at-risk', codes: ['copy-unread', 'no-schedule'] },
    });
    await new DatabaseOperationStore(knex).beginRestore({
      ...{ clusterRef: LAB, requestedBy: 'user:default/ada', workerId: 'a' },
      backupId: both[1].id,
    });
    const section = {
      stores: [{ id: 'vault', filesystem: { path: '/nowhere' } }],
      protection: { maxAgeHours: 26 },
      clusters: [{ name: 'lab' }],
    };
    const entities = [clusterEntity('lab', 'user:default/ada')];
    const features = [metricsServiceFactory];
    ({ backend } = await startPortal({ knex, section, entities, features }));
    const { port } = server.address() as AddressInfo;
    scraped = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  });
  afterAll(async () => {
    await backend?.stop();
    await provider?.shutdown();
    metrics.disable();
    server?.close();
  });

  const labels = (text: string) =>
    text.replace(/,?otel_scope_\w+="[^"]*"/g, '');
  const valueOf = (series: string) =>
    scraped
      .split('\n')
      .filter(line => !line.startsWith('#'))
      .map(line => /^(\w+)\{(.*)\} (\S+)$/.exec(line))
      .filter(found => found && `${found[1]}{${labels(found[2])}}` === series)
      .map(found => Number(found![3]));

  it('tell in Prometheus what is known of each cluster', () => {
    const of = `cluster="${LAB}"`;
    expect(valueOf(`cluster_backup_protection_level{${of}}`)).toEqual([1]);
    expect(
      valueOf(`cluster_backup_protection_reason{${of},code="no-schedule"}`),
    ).toEqual([1]);
    expect(
      valueOf(`cluster_backup_last_backup_created_seconds{${of}}`),
    ).toEqual([CREATED / 1000]);
    expect(
      valueOf(`cluster_backup_last_verified_backup_created_seconds{${of}}`),
    ).toEqual([CREATED / 1000 - 86_400]);
    expect(valueOf(`cluster_backup_backup_max_age_seconds{${of}}`)).toEqual([
      26 * 3600,
    ]);
    const [judged] = valueOf(`cluster_backup_protection_judged_seconds{${of}}`);
    expect(Math.abs(judged - Date.now() / 1000)).toBeLessThan(60);
    const restores = 'cluster_backup_operations{kind="restore"';
    expect(valueOf(`${restores},status="running"}`)).toEqual([1]);
    expect(valueOf(`${restores},status="interrupted"}`)).toEqual([0]);
  });

  it('are those that the rules speak of', async () => {
    const rules = await readFile(join(RULES, 'cluster-backup.rules.yaml'), {
      encoding: 'utf8',
    });
    const spoken = new Set(
      parse(rules)
        .groups.flatMap((group: { rules: { expr: string }[] }) => group.rules)
        .flatMap(({ expr }: { expr: string }) =>
          expr.match(/cluster_backup_\w+/g),
        ),
    );
    expect(spoken.size).toBeGreaterThan(4);
    for (const name of spoken) {
      expect(scraped).toMatch(new RegExp(`^# TYPE ${name} gauge$`, 'm'));
    }
  });
});

describe('the rules for Prometheus', () => {
  const promtool = async (...args: string[]) =>
    (await promisify(execFile)('promtool', args, { cwd: RULES })).stdout;

  it('are well-formed', async () => {
    const told = await promtool('check', 'rules', 'cluster-backup.rules.yaml');
    expect(told).toMatch(/SUCCESS: 8 rules found/);
  });

  it('alert when they should, and stop', async () => {
    const told = await promtool('test', 'rules', ALERTS);
    expect(told).toMatch(/SUCCESS/);
  });
});
