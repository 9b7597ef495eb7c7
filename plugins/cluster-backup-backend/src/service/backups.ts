import { pipeline } from 'node:stream/promises';
import {
  Backup,
  KeptBackup,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import {
  ClusterBackupError,
  NOTHING_CHANGED,
  refuseHeld,
} from '@cluster-backup/engine';
import { Request, Router } from 'express';
import PromiseRouter from 'express-promise-router';
import { z } from 'zod';
import { Allowed, Cluster } from '../authorization/ClusterAuthority';
import { Right } from '../authorization/rights';
import { foreseen } from '../operations/fault';
import { managedClustersOf } from '../operations/managedClusters';
import { nothingShape, parse } from './parse';
import { RouterOptions } from './RouterOptions';

const holdShape = z
  .object({ reason: z.string().trim().min(1).max(500) })
  .strict();

const comparisonShape = z.object({ fileKey: z.string().optional() }).strict();
const nameShape = z.string().min(1).max(253);
const putBackShape = z
  .object({
    fileKey: z.string().optional(),
    secrets: z
      .array(
        z
          .object({
            namespace: nameShape,
            name: nameShape,
            resourceVersion: z.string().max(100).optional(),
          })
          .strict(),
      )
      .max(100),
    missing: z.boolean(),
  })
  .strict();

/** For the audit: which Secrets are asked for. */
function namesIn(body: unknown): string {
  const parsed = putBackShape.safeParse(body);
  const secrets = parsed.success ? parsed.data.secrets : [];
  return secrets.map(({ namespace, name }) => `${namespace}/${name}`).join(' ');
}

/** What is asked of a backup. */
export function backupRoutes(options: RouterOptions): Router {
  const { authority, clusters, backups, clusterOperations } = options;
  const router = PromiseRouter();

  router.get('/backups/:id', async (request, response) => {
    const backup = await perform(
      request,
      { event: 'backup-fetch', right: 'read' },
      async found => found,
    );
    response.json(backup);
  });

  router.get('/backups/:id/custody', async (request, response) => {
    const custody = await perform(
      request,
      { event: 'backup-custody-fetch', right: 'read' },
      ({ id }) => backups.custody(id),
    );
    response.json(custody);
  });

  router.get('/backups/:id/header', async (request, response) => {
    const header = await perform(
      request,
      { event: 'backup-header-fetch', right: 'restore' },
      async (backup, { by }) => {
        const read = await clusters.header(backup);
        await opened(backup, by, 'opened');
        return read;
      },
    );
    response.type('application/octet-stream').send(header);
  });

  router.get('/backups/:id/archive', async (request, response) => {
    const stop = new AbortController();
    response.on('close', () => stop.abort());
    const { key, size, bytes } = await perform(
      request,
      { event: 'backup-download', right: 'reveal' },
      async (backup, { by }) => {
        refuseUnencrypted(backup);
        const source = await clusters.bytes(backup, stop.signal);
        await opened(backup, by, 'downloaded');
        return { ...backup, bytes: source };
      },
    );
    response.set({
      'Cache-Control': 'no-store',
      'Content-Disposition': `attachment; filename="${key.split('/').at(-1)}"`,
      'Content-Length': String(size),
    });
    response.type('application/octet-stream');
    // Where it breaks off, the length tells whoever downloads.
    await pipeline(bytes, response).catch(() => response.destroy());
  });

  router.get('/backups/:id/managed-clusters', async (request, response) => {
    const managed = await perform(
      request,
      { event: 'backup-managed-clusters-fetch', right: 'read' },
      backup => managedClustersOf(clusters, backup),
    );
    response.json(managed);
  });

  router.post('/backups/:id/verifications', async (request, response) => {
    const operation = await perform(
      request,
      { event: 'backup-verify', right: 'create' },
      async (backup, { by }) => {
        parse(nothingShape, request.body);
        return clusterOperations.verify(backup, by);
      },
    );
    response.status(202).json(operation);
  });

  router.post('/backups/:id/object-comparisons', async (request, response) => {
    const differing = await perform(
      request,
      { event: 'backup-compare', right: 'restore' },
      async (backup, { by }) => {
        const asked = parse(comparisonShape, request.body);
        await opened(backup, by, 'compared');
        return clusterOperations.compareObjects(backup, asked);
      },
    );
    response.json(differing);
  });

  router.post('/backups/:id/put-backs', async (request, response) => {
    const result = await perform(
      request,
      {
        event: 'backup-put-back',
        right: 'restore',
        meta: { secrets: namesIn(request.body) },
      },
      async (backup, { by }) => {
        const asked = parse(putBackShape, request.body);
        const why = namesIn(request.body);
        await backups.recordCustody({
          backupId: backup.id,
          event: 'put-back',
          by,
          why: asked.missing ? `what is missing ${why}`.trim() : why,
        });
        return clusterOperations.putBackObjects(backup, asked);
      },
    );
    response.json(result);
  });

  router.put('/backups/:id/hold', async (request, response) => {
    const kept = await perform(
      request,
      { event: 'backup-hold', right: 'manage' },
      async (backup, { by }) => {
        const { reason } = parse(holdShape, request.body);
        return hold(backup, { by, reason });
      },
    );
    response.json(kept);
  });

  router.delete('/backups/:id/hold', async (request, response) => {
    const released = await perform(
      request,
      { event: 'backup-release', right: 'manage' },
      (backup, { by }) => release(backup, by),
    );
    response.json(released);
  });

  /** Does something with a backup for who may do so with its cluster. */
  function perform<T>(
    request: Request<{ id: string }>,
    asked: { event: string; right: Right; meta?: Record<string, string> },
    act: (backup: Backup, allowed: Allowed) => Promise<T>,
  ): Promise<T> {
    const { id } = request.params;
    const { event, right, meta } = asked;
    return authority.perform(
      request,
      { event, right, cluster: clusterOf(id), meta: { backupId: id, ...meta } },
      async allowed => act(await backupOf(id), allowed),
    );
  }

  function opened(
    { id: backupId }: Backup,
    by: string,
    event: 'opened' | 'downloaded' | 'compared',
  ): Promise<void> {
    return backups.recordCustody({ backupId, event, by });
  }

  async function hold(
    backup: Backup,
    asked: { by: string; reason: string },
  ): Promise<KeptBackup> {
    refuseHeld(backup.key, backup.hold);
    const wanted = { ...asked, at: new Date().toISOString() };
    // The record first: whoever removes backups looks there.
    if (!(await backups.setHold(backup.id, wanted, asked.by))) {
      throw backupUnknown(backup.id);
    }
    const copies = await clusters.hold(backup, wanted).catch(async error => {
      await backups.setHold(backup.id, undefined, asked.by);
      throw error;
    });
    return {
      backup: await backupOf(backup.id),
      failed: copies.flatMap(({ store, problem }) => {
        const fault = foreseen(problem);
        return fault ? [{ store, fault }] : [];
      }),
    };
  }

  async function release(backup: Backup, by: string): Promise<Backup> {
    const wasHeld = await clusters.release(backup);
    if (wasHeld || backup.hold) {
      await backups.setHold(backup.id, undefined, by);
      return backupOf(backup.id);
    }
    throw new ClusterBackupError({
      code: 'backup-not-held',
      message: `Nobody has said that ${backup.key} is to be kept.`,
      state: 'No store has a hold of it.',
      remedy: "Look at it again among the cluster's backups.",
    });
  }

  function clusterOf(id: string): Cluster {
    return {
      refOf: async () => (await backups.get(id))?.clusterRef,
      unknown: () => backupUnknown(id),
    };
  }

  async function backupOf(id: string): Promise<Backup> {
    const backup = await backups.get(id);
    if (backup) return backup;
    throw backupUnknown(id);
  }

  return router;
}

function refuseUnencrypted({ key, isEncrypted }: Backup) {
  if (isEncrypted) return;
  throw new ClusterBackupError({
    code: 'archive-unencrypted',
    message: `${key} is not encrypted: it would lie open wherever it is downloaded to.`,
    state: NOTHING_CHANGED,
    remedy: 'Take it from the store, or take a backup that is encrypted.',
  });
}

function backupUnknown(id: string) {
  return new ClusterBackupError({
    code: 'backup-unknown',
    message: `There is no backup ${id}.`,
    state: NOTHING_CHANGED,
    remedy: "Look for it among the cluster's backups.",
  });
}
