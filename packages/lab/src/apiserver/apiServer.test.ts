import { request } from 'node:https';
import { readFileSync } from 'node:fs';
import {
  ADD,
  CoreV1Api,
  DELETE,
  KubernetesObject,
  makeInformer,
  UPDATE,
  V1ConfigMap,
  Watch,
} from '@kubernetes/client-node';
import { ApiServer, startApiServer } from './apiServer';
import { readFlags } from './flags';
import { kindNamed, storageKey } from './kinds';
import { decodeObject, PROTOBUF_MAGIC } from './storedObject';
import {
  clientsOf,
  ControlPlane,
  makeControlPlane,
  until,
} from './__testUtils__/controlPlane';

let plane: ControlPlane;
let server: ApiServer;
let admin: { cert: string; key: string };

function call(
  path: string,
  options: {
    method?: string;
    body?: object;
    client?: { cert: string; key: string };
  } = {},
): Promise<{ code: number; text: string; json: any }> {
  const { client, body, method = 'GET' } = options;
  return new Promise((resolve, reject) => {
    request(
      `https://127.0.0.1:${plane.apiPort}${path}`,
      {
        method,
        ca: readFileSync(plane.caFile),
        ...(client && {
          cert: readFileSync(client.cert),
          key: readFileSync(client.key),
        }),
        headers: { 'content-type': 'application/json' },
        agent: false,
      },
      async response => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve({
          code: response.statusCode ?? 0,
          text,
          get json() {
            return JSON.parse(text);
          },
        });
      },
    )
      .on('error', reject)
      .end(body && JSON.stringify(body));
  });
}

const isReady = async () => (await call('/readyz')).code === 200;

beforeAll(async () => {
  plane = await makeControlPlane();
  admin = plane.kubernetes.issue(
    'admin',
    '/O=kubeadm:cluster-admins/CN=kubernetes-admin',
  );
  await plane.startEtcd();
  server = await startApiServer(readFlags(plane.flags));
  await until('the API server is ready', isReady);
});

afterAll(async () => {
  await server.stop(0);
  await plane.remove();
});

describe('who may do what', () => {
  it('tells anonymous callers about health and version only', async () => {
    for (const path of ['/livez', '/readyz', '/healthz']) {
      expect(await call(path)).toMatchObject({ code: 200, text: 'ok' });
    }
    const verbose = await call('/readyz?verbose');
    expect(verbose.text).toContain('[+]etcd ok\n');
    expect((await call('/version')).json).toMatchObject({
      major: '1',
      gitVersion: expect.stringMatching(/^v1\.31\.\d+$/),
    });
    for (const path of ['/', '/api', '/apis', '/api/v1/namespaces']) {
      expect(await call(path)).toMatchObject({
        code: 401,
        json: { kind: 'Status', reason: 'Unauthorized', code: 401 },
      });
    }
  });

  it('takes certificates of its own authority only, and of those it allows', async () => {
    const path = '/api/v1/namespaces/kube-system';
    const subjects: Array<[string, number]> = [
      ['/O=system:masters/CN=someone', 200],
      ['/O=kubeadm:cluster-admins/CN=kubernetes-admin', 200],
      ['/O=system:nodes/CN=system:node:cp1', 200],
      ['/CN=system:kube-controller-manager', 200],
      ['/CN=system:kube-scheduler', 200],
      ['/O=developers/CN=system:masters', 403],
    ];
    for (const [index, [subject, code]] of subjects.entries()) {
      const client = plane.kubernetes.issue(`client-${index}`, subject);
      expect([subject, (await call(path, { client })).code]).toEqual([
        subject,
        code,
      ]);
    }
    const forged = plane.stranger.issue('forged', '/O=system:masters/CN=admin');
    expect((await call(path, { client: forged })).code).toBe(401);
  });
});

describe('objects', () => {
  it('writes the standard namespaces, its masterlease and its lease at start', async () => {
    const { kvs } = await plane.etcd.range({
      key: Buffer.from('/registry/'),
      rangeEnd: Buffer.from('/registry0'),
    });
    expect(kvs.map(({ key }) => key.toString()).sort()).toEqual([
      expect.stringMatching(
        /^\/registry\/leases\/kube-system\/apiserver-[a-z2-7]{26}$/,
      ),
      '/registry/masterleases/127.0.0.1',
      '/registry/namespaces/default',
      '/registry/namespaces/kube-node-lease',
      '/registry/namespaces/kube-public',
      '/registry/namespaces/kube-system',
    ]);
  });

  it('are created, read, changed and deleted by client-node', async () => {
    const { core } = clientsOf(plane.kubeConfig(admin));
    const created = await core.createNamespacedSecret({
      namespace: 'default',
      body: {
        metadata: { name: 'crud', labels: { tier: 'one' } },
        stringData: { password: 'hunter2' },
      },
    });
    expect(created.metadata).toMatchObject({
      name: 'crud',
      namespace: 'default',
      uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    await expect(
      core.createNamespacedSecret({
        namespace: 'default',
        body: { metadata: { name: 'crud' } },
      }),
    ).rejects.toMatchObject({ code: 409 });
    await expect(
      core.createNamespacedSecret({
        namespace: 'nowhere',
        body: { metadata: { name: 'crud' } },
      }),
    ).rejects.toMatchObject({ code: 404 });

    const read = await core.readNamespacedSecret({
      namespace: 'default',
      name: 'crud',
    });
    expect(read).toEqual(created);
    expect(Buffer.from(read.data!.password, 'base64').toString()).toBe(
      'hunter2',
    );

    const changed = await core.replaceNamespacedSecret({
      namespace: 'default',
      name: 'crud',
      body: { ...read, data: { password: 'bmV3' } },
    });
    expect(Number(changed.metadata!.resourceVersion)).toBeGreaterThan(
      Number(read.metadata!.resourceVersion),
    );
    await expect(
      core.replaceNamespacedSecret({
        namespace: 'default',
        name: 'crud',
        body: { ...read, data: {} },
      }),
    ).rejects.toMatchObject({ code: 409 });

    const patched = await core.patchNamespacedSecret({
      namespace: 'default',
      name: 'crud',
      body: [{ op: 'add', path: '/data/user', value: 'bWU=' }],
    });
    expect(patched.data).toEqual({ password: 'bmV3', user: 'bWU=' });

    await core.deleteNamespacedSecret({ namespace: 'default', name: 'crud' });
    await expect(
      core.readNamespacedSecret({ namespace: 'default', name: 'crud' }),
    ).rejects.toMatchObject({ code: 404 });
  });

  it('are stored as Kubernetes stores them', async () => {
    const { core, custom } = clientsOf(plane.kubeConfig(admin));
    const pod = await core.createNamespacedPod({
      namespace: 'default',
      body: {
        metadata: {
          name: 'stored',
          labels: { app: 'stored' },
          annotations: { empty: '' },
          managedFields: [
            {
              manager: 'test',
              operation: 'Update',
              apiVersion: 'v1',
              time: new Date('2026-01-02T03:04:05Z'),
              fieldsType: 'FieldsV1',
              fieldsV1: { 'f:spec': { '.': {} } },
            },
          ],
        },
        spec: {
          containers: [
            {
              name: 'main',
              image: 'example.com/app:1',
              env: [
                {
                  name: 'KEY',
                  valueFrom: { secretKeyRef: { name: 'other', key: 'k' } },
                },
              ],
              resources: { limits: { memory: '64Mi' } },
              livenessProbe: { httpGet: { path: '/', port: 'http' } },
              readinessProbe: { tcpSocket: { port: 8080 } },
            },
          ],
          volumes: [{ name: 'cfg', configMap: { name: 'cfg' } }],
        },
      },
    });
    const kind = kindNamed('pods');
    const [stored] = (
      await plane.etcd.range({ key: storageKey(kind, 'default', 'stored') })
    ).kvs;
    expect(stored.value.subarray(0, 4)).toEqual(PROTOBUF_MAGIC);
    // runtime.Unknown, its TypeMeta of apiVersion "v1" and kind "Pod"
    expect(stored.value.subarray(4, 15).toString('latin1')).toBe(
      '\x0a\x09\x0a\x02v1\x12\x03Pod',
    );
    const served = (
      await call('/api/v1/namespaces/default/pods/stored', { client: admin })
    ).json;
    expect(decodeObject(kind, stored.value, stored.modRevision)).toEqual(
      served,
    );
    expect(served.metadata.resourceVersion).toBe(String(stored.modRevision));
    expect(served.metadata.managedFields[0].fieldsV1).toEqual({
      'f:spec': { '.': {} },
    });
    expect(served.spec.containers[0]).toMatchObject({
      env: [
        {
          name: 'KEY',
          valueFrom: { secretKeyRef: { name: 'other', key: 'k' } },
        },
      ],
      livenessProbe: { httpGet: { path: '/', port: 'http' } },
      readinessProbe: { tcpSocket: { port: 8080 } },
      resources: { limits: { memory: '64Mi' } },
    });
    expect(served.spec.volumes).toEqual([
      { name: 'cfg', configMap: { name: 'cfg' } },
    ]);
    expect(pod.metadata!.resourceVersion).toBe(String(stored.modRevision));

    await custom.createNamespacedCustomObject({
      group: 'demo.example.com',
      version: 'v1',
      namespace: 'default',
      plural: 'widgets',
      body: {
        apiVersion: 'demo.example.com/v1',
        kind: 'Widget',
        metadata: { name: 'stored' },
        spec: { anything: [1, { goes: true }] },
      },
    });
    const [widget] = (
      await plane.etcd.range({
        key: Buffer.from('/registry/demo.example.com/widgets/default/stored'),
      })
    ).kvs;
    const parsed = JSON.parse(widget.value.toString());
    expect(parsed.spec).toEqual({ anything: [1, { goes: true }] });
    expect(parsed.metadata).not.toHaveProperty('resourceVersion');
  });

  const bareMetal = '/apis/baremetal.cluster.gke.io/v1/namespaces/default';
  const template = {
    metadata: { labels: { app: 'job' } },
    spec: { containers: [{ name: 'one', image: 'example' }] },
  };
  it.each([
    [`${bareMetal}/clusters`, { type: 'admin' }],
    [`${bareMetal}/nodepools`, { clusterName: 'prod' }],
    ['/apis/batch/v1/namespaces/default/jobs', { backoffLimit: 4, template }],
  ])('have a status apart: %s', async (path, spec) => {
    const ask = async (method: string, name: string, body: object) =>
      (await call(path + name, { method, client: admin, body })).json;
    const metadata = { name: 'prod' };
    const made = await ask('POST', '', {
      metadata,
      spec,
      status: { active: 7 },
    });
    expect(made.spec).toMatchObject(spec);
    expect(made.status?.active).toBeUndefined();
    await ask('PUT', '/prod/status', { ...made, status: { active: 1 } });
    const { json } = await call(`${path}/prod`, { client: admin });
    expect(json).toMatchObject({ spec, status: { active: 1 } });
    expect(json.metadata.generation).toBe(1);
  });

  it('of Jobs are stored as protobuf', async () => {
    const key = Buffer.from('/registry/jobs/default/prod');
    const [job] = (await plane.etcd.range({ key })).kvs;
    expect(job.value.subarray(0, 4)).toEqual(PROTOBUF_MAGIC);
  });

  it('behave as on a real one: events expire, finalizers hold, status is apart', async () => {
    const { core, custom } = clientsOf(plane.kubeConfig(admin));
    await core.createNamespacedEvent({
      namespace: 'default',
      body: {
        metadata: { generateName: 'happened.' },
        involvedObject: { kind: 'Pod', name: 'stored' },
        reason: 'Started',
      },
    });
    const [event] = (
      await plane.etcd.range({
        key: Buffer.from('/registry/events/default/happened.'),
        rangeEnd: Buffer.from('/registry/events/default/happened/'),
      })
    ).kvs;
    expect(event.lease).toMatch(/^[1-9]\d+$/);

    const path = '/apis/demo.example.com/v1/namespaces/default/widgets';
    const widget = {
      group: 'demo.example.com',
      version: 'v1',
      namespace: 'default',
      plural: 'widgets',
      name: 'held',
    };
    const created = await custom.createNamespacedCustomObject({
      ...widget,
      body: {
        metadata: { name: 'held', finalizers: ['example.com/hold'] },
        spec: { size: 1 },
        status: { phase: 'dropped' },
      },
    });
    expect(created.metadata.generation).toBe(1);
    expect(created).not.toHaveProperty('status');
    const status = await call(`${path}/held/status`, {
      method: 'PUT',
      client: admin,
      body: { ...created, spec: { size: 9 }, status: { phase: 'Ready' } },
    });
    expect(status.json).toMatchObject({
      metadata: { generation: 1 },
      spec: { size: 1 },
      status: { phase: 'Ready' },
    });
    const changed = await call(`${path}/held`, {
      method: 'PUT',
      client: admin,
      body: { ...status.json, spec: { size: 2 }, status: {} },
    });
    expect(changed.json).toMatchObject({
      metadata: { generation: 2 },
      spec: { size: 2 },
      status: { phase: 'Ready' },
    });
    const same = await call(`${path}/held`, {
      method: 'PUT',
      client: admin,
      body: changed.json,
    });
    expect(same.json).toEqual(changed.json);

    const held = await custom.deleteNamespacedCustomObject(widget);
    expect(held.metadata.deletionTimestamp).toBeDefined();
    await custom.patchNamespacedCustomObject({
      ...widget,
      body: [{ op: 'remove', path: '/metadata/finalizers' }],
    });
    await expect(
      custom.getNamespacedCustomObject(widget),
    ).rejects.toMatchObject({ code: 404 });
  });

  it('are listed in pages of one revision, selected by labels and fields', async () => {
    const { core } = clientsOf(plane.kubeConfig(admin));
    await core.createNamespace({ body: { metadata: { name: 'pages' } } });
    for (let index = 0; index < 7; index += 1) {
      await core.createNamespacedConfigMap({
        namespace: 'pages',
        body: {
          metadata: { name: `cm-${index}`, labels: { odd: `${index % 2}` } },
        },
      });
    }
    const names: string[] = [];
    const revisions = new Set<string>();
    let token: string | undefined;
    do {
      const page = await core.listNamespacedConfigMap({
        namespace: 'pages',
        limit: 3,
        _continue: token,
      });
      names.push(...page.items.map(item => item.metadata!.name!));
      revisions.add(page.metadata!.resourceVersion!);
      token = page.metadata!._continue;
      // does not show in the pages after it
      await core
        .deleteNamespacedConfigMap({
          namespace: 'pages',
          name: 'cm-6',
        })
        .catch(() => {});
    } while (token);
    expect(names).toEqual([0, 1, 2, 3, 4, 5, 6].map(n => `cm-${n}`));
    expect(revisions.size).toBe(1);

    const odd = await core.listConfigMapForAllNamespaces({
      labelSelector: 'odd=1',
      fieldSelector: 'metadata.namespace=pages,metadata.name!=cm-3',
    });
    expect(odd.items.map(item => item.metadata!.name)).toEqual([
      'cm-1',
      'cm-5',
    ]);
    await core.deleteNamespace({ name: 'pages' });
    const rest = await core.listNamespacedConfigMap({ namespace: 'pages' });
    expect(rest.items).toEqual([]);
  });
});

describe('watches', () => {
  function informerOn(core: CoreV1Api, namespace: string) {
    const seen: string[] = [];
    const informer = makeInformer<V1ConfigMap>(
      plane.kubeConfig(admin),
      `/api/v1/namespaces/${namespace}/configmaps`,
      () => core.listNamespacedConfigMap({ namespace }),
    );
    for (const type of [ADD, UPDATE, DELETE]) {
      informer.on(type as typeof ADD, (object: KubernetesObject) =>
        seen.push(`${type} ${object.metadata!.name}`),
      );
    }
    return { informer, seen };
  }

  it('show an informer what is added, changed and deleted', async () => {
    const { core } = clientsOf(plane.kubeConfig(admin));
    const namespace = 'kube-public';
    const { informer, seen } = informerOn(core, namespace);
    await informer.start();
    try {
      await core.createNamespacedConfigMap({
        namespace,
        body: { metadata: { name: 'watched' }, data: { a: '1' } },
      });
      await core.patchNamespacedConfigMap({
        namespace,
        name: 'watched',
        body: [{ op: 'replace', path: '/data/a', value: '2' }],
      });
      await until('two events', () => seen.length >= 2);
      expect(informer.list().map(({ data }) => data)).toEqual([{ a: '2' }]);
      await core.deleteNamespacedConfigMap({ namespace, name: 'watched' });
      await until('three events', () => seen.length >= 3);
      expect(seen).toEqual(['add watched', 'update watched', 'delete watched']);
    } finally {
      await informer.stop();
    }
  });

  async function watchFrom(revision: string, query: object = {}) {
    const events: Array<{ type: string; object: any }> = [];
    await new Promise<void>((resolve, reject) => {
      new Watch(plane.kubeConfig(admin))
        .watch(
          '/api/v1/configmaps',
          { resourceVersion: revision, timeoutSeconds: 2, ...query },
          (type, object) => events.push({ type, object }),
          () => resolve(),
        )
        .catch(reject);
    });
    return events;
  }

  it('from a compacted or a future revision say 410, and an informer lists again', async () => {
    const { core } = clientsOf(plane.kubeConfig(admin));
    const namespace = 'kube-node-lease';
    const { informer, seen } = informerOn(core, namespace);
    await core.createNamespacedConfigMap({
      namespace,
      body: { metadata: { name: 'before' } },
    });
    await informer.start();
    await until('the first list', () => seen.length === 1);
    // as client-node wants it: an informer stops at an error until it is started
    let restart: NodeJS.Timeout | undefined;
    informer.on('error', () => {
      restart = setTimeout(() => informer.start(), 100);
    });

    // the informer misses a change, and where it stopped is compacted
    await plane.stopEtcd();
    await plane.startEtcd();
    const name = 'missed';
    await until('the API server is back', isReady);
    await core.createNamespacedConfigMap({
      namespace,
      body: { metadata: { name } },
    });
    const { header } = await plane.etcd.range({ key: Buffer.from('x') });
    await plane.etcd.compact(header.revision, true);
    await until('the informer has both', () => informer.list().length === 2);
    await informer.stop();
    clearTimeout(restart);

    for (const revision of ['1', String(header.revision + 1_000_000)]) {
      expect(await watchFrom(revision)).toMatchObject([
        { type: 'ERROR', object: { code: 410, reason: 'Expired' } },
      ]);
    }
    await expect(
      core.listNamespacedConfigMap({
        namespace,
        resourceVersion: '1',
        resourceVersionMatch: 'Exact',
      }),
    ).rejects.toMatchObject({ code: 410 });
  });

  it('without a revision begin with what is there, and end when asked', async () => {
    const started = Date.now();
    const events = await watchFrom('', { labelSelector: '!odd' });
    expect(Date.now() - started).toBeGreaterThanOrEqual(1_900);
    expect(events.map(({ type }) => type)).toEqual(events.map(() => 'ADDED'));
    expect(events.map(({ object }) => object.metadata.name)).toContain(
      'missed',
    );
  });
});

describe('health', () => {
  it('is lost within seconds when etcd goes, and comes back with it', async () => {
    await plane.stopEtcd();
    const started = Date.now();
    const gone = await call('/readyz');
    expect(gone.code).toBe(500);
    expect(gone.text).toContain('[-]etcd failed');
    expect(Date.now() - started).toBeLessThan(3_000);
    expect((await call('/livez')).code).toBe(500);
    const refused = await call('/api/v1/namespaces', { client: admin });
    expect(refused.code).toBeGreaterThanOrEqual(500);
    await plane.startEtcd();
    await until('the API server is ready again', isReady);
    expect(
      (await call('/api/v1/namespaces', { client: admin })).json.items,
    ).toHaveLength(4);
  });
});
