import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { databaseServiceFactory } from '@backstage/backend-defaults/database';
import { permissionsServiceFactory } from '@backstage/backend-defaults/permissions';
import { permissionsRegistryServiceFactory } from '@backstage/backend-defaults/permissionsRegistry';
import {
  coreServices,
  createServiceFactory,
} from '@backstage/backend-plugin-api';
import {
  mockCredentials,
  mockServices,
  startTestBackend,
  TestBackend,
} from '@backstage/backend-test-utils';
import catalogPlugin from '@backstage/plugin-catalog-backend';
import clusterBackupPlugin from '@cluster-backup/backstage-plugin-cluster-backup-backend';
import { knex } from 'knex';
import request from 'supertest';
import { catalogFile, CLUSTER, PEOPLE } from './directory';
import { policies, Policy } from './policies';

// RBAC's adapter asks for the drivers of all databases there are.
jest.mock('mongodb', () => ({}), { virtual: true });

jest.setTimeout(120_000);

const BACKUP = 'a-backup';
const REQUEST = 'a-request';
const CLUSTER_PATH = `/clusters/by-entity/${CLUSTER.replace(':', '/')}`;

/** One route for each right, and what none of them understands: to be told so one has to be let in. */
const RIGHTS = {
  read: ['get', `${CLUSTER_PATH}/backups?limit=none`, undefined],
  create: ['post', `${CLUSTER_PATH}/checks`, { what: 'x' }],
  restore: ['post', `${CLUSTER_PATH}/restores`, { what: 'x' }],
  approve: ['post', `/restore-requests/${REQUEST}/reject`, { what: 'x' }],
  reveal: ['post', `${CLUSTER_PATH}/kubeconfigs`, { what: 'x' }],
  manage: ['put', `/backups/${BACKUP}/hold`, { what: 'x' }],
} as const;
type Right = keyof typeof RIGHTS;

const callers: Record<string, string> = {
  ...Object.fromEntries(
    Object.entries(PEOPLE).map(([role, { ref }]) => [
      role,
      mockCredentials.user.header(ref),
    ]),
  ),
  machine: mockCredentials.service.header(),
  nobody: mockCredentials.none.header(),
};

/** As in a portal, plugins say whom they speak for, and that it is they who speak. */
const auth = createServiceFactory({
  service: coreServices.auth,
  deps: { plugin: coreServices.pluginMetadata },
  factory({ plugin }) {
    const pluginId = plugin.getId();
    const mock = mockServices.auth({ pluginId });
    const tokenOf = mock.getPluginRequestToken.bind(mock);
    mock.getPluginRequestToken = async options => {
      const { onBehalfOf } = options;
      if (!mock.isPrincipal(onBehalfOf, 'user')) return tokenOf(options);
      const actor = { subject: `plugin:${pluginId}` };
      const { userEntityRef } = onBehalfOf.principal;
      return { token: mockCredentials.user.token(userEntityRef, { actor }) };
    };
    return mock;
  },
});

const userInfo = createServiceFactory({
  service: coreServices.userInfo,
  deps: {},
  factory: () => ({
    async getUserInfo({ principal }) {
      const { userEntityRef } = principal as { userEntityRef: string };
      const person = Object.values(PEOPLE).find(p => p.ref === userEntityRef);
      return {
        userEntityRef,
        ownershipEntityRefs: [userEntityRef, ...(person?.groups ?? [])],
      };
    },
  }),
});

let folder: string;
let backend: TestBackend | undefined;
const rows: string[][] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cluster-backup-access-'));
});
afterEach(async () => {
  await backend?.stop();
  backend = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function startPortal({ features, permission }: Policy) {
  const catalog = join(folder, 'catalog.yaml');
  await writeFile(catalog, catalogFile);
  const data = {
    backend: {
      baseUrl: 'http://localhost:7007',
      database: {
        client: 'better-sqlite3',
        connection: { directory: folder },
      },
    },
    catalog: {
      rules: [{ allow: ['Resource', 'Group', 'User'] }],
      locations: [{ type: 'file', target: catalog }],
    },
    permission: await permission(folder),
    clusterBackup: {
      signingKeyFile: join(folder, 'signing-key.pem'),
      clusters: [
        {
          name: 'lab',
          controlPlane: [{ name: 'cp-1', address: '127.0.0.1', port: 1 }],
        },
      ],
    },
  };
  backend = await startTestBackend({
    features: [
      ...features,
      catalogPlugin,
      clusterBackupPlugin,
      auth,
      userInfo,
      databaseServiceFactory,
      permissionsServiceFactory,
      permissionsRegistryServiceFactory,
      mockServices.rootConfig.factory({ data }),
    ],
  });
  await recordThings(join(folder, 'cluster-backup.sqlite'));
  await untilTheCatalogKnows();
}

/** To be kept and to be approved, or not. */
async function recordThings(filename: string) {
  const database = knex({
    client: 'better-sqlite3',
    connection: { filename },
    useNullAsDefault: true,
  });
  await database('backups').insert({
    id: BACKUP,
    cluster_ref: CLUSTER,
    key: 'default/lab/x',
    created_at: 1,
    is_encrypted: true,
    size: 1,
    snapshot_size: 1,
    revision: 1,
    member: 'cp-1',
    versions: '{}',
    nodes: '[]',
    sha256: 'a'.repeat(64),
    signer: 'SHA256:a',
    reservations: '[]',
    before_restore: false,
  });
  // Withdrawn: nothing that it names is looked for.
  await database('restore_requests').insert({
    id: REQUEST,
    cluster_ref: CLUSTER,
    backup_id: BACKUP,
    status: 'withdrawn',
    requested_by: 'user:default/otto',
    requested_at: 1,
    expires_at: 1,
    reason: 'x',
    choices: '{}',
    frozen: JSON.stringify({ archive: {}, target: {} }),
    check_id: 'none',
    is_emergency: false,
  });
  await database.destroy();
}

/** Its entities and whose they are, which comes a moment later. */
async function untilTheCatalogKnows() {
  const asService = mockCredentials.service.header();
  for (const ref of [CLUSTER, 'group:default/storage', 'user:default/nora']) {
    const path = `/api/catalog/entities/by-name/${ref.replace(':', '/')}`;
    for (;;) {
      const { body } = await request(backend!.server)
        .get(path)
        .set('authorization', asService);
      if (body.relations?.length) break;
      await sleep(100);
    }
  }
}

/** Let in, or the status that keeps one out. */
async function ask(right: Right, authorization: string): Promise<string> {
  const [method, path, body] = RIGHTS[right];
  const { status, body: answer } = await request(backend!.server)
    [method](`/api/cluster-backup${path}`)
    .set('authorization', authorization)
    .send(body);
  return answer.error?.code === 'request-invalid' ? 'yes' : `${status}`;
}

it.each(policies)('$name', async policy => {
  await startPortal(policy);
  for (const [role, authorization] of Object.entries(callers)) {
    const row = [policy.name, role];
    for (const right of Object.keys(RIGHTS) as Right[]) {
      row.push(await ask(right, authorization));
    }
    rows.push(row);
  }
  expect(rows.filter(([policed]) => policed === policy.name)).toHaveLength(
    Object.keys(callers).length,
  );
});

it('is what docs/permissions.md says', async () => {
  const head = ['policy', 'who', ...Object.keys(RIGHTS)];
  const table = tableOf([head, ...rows]);
  process.stderr.write(`\n${table}\n`);
  const page = await readFile(
    resolve(__dirname, '../../docs/permissions.md'),
    'utf8',
  );
  const told = page.split('\n').filter(line => line.startsWith('|'));
  const begin = told.findIndex(line => /^\| policy/.test(line));
  const end = begin + rows.length + 2;
  expect(told.slice(begin, end).join('\n')).toBe(table);
});

/** As prettier writes tables of Markdown. */
function tableOf(lines: string[][]): string {
  const widths = lines[0].map((_, i) =>
    Math.max(...lines.map(line => line[i].length)),
  );
  const drawn = lines.map(
    line => `| ${line.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`,
  );
  const rule = `| ${widths.map(width => '-'.repeat(width)).join(' | ')} |`;
  return [drawn[0], rule, ...drawn.slice(1)].join('\n');
}
