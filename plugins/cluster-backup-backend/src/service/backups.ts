import { Backup } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { ClusterBackupError, NOTHING_CHANGED } from '@cluster-backup/engine';
import { Router } from 'express';
import PromiseRouter from 'express-promise-router';
import { nothingShape, parse } from './parse';
import { RouterOptions } from './RouterOptions';

/** What is asked of a backup. */
export function backupRoutes(options: RouterOptions): Router {
  const { authority, clusters, backups, clusterOperations } = options;
  const router = PromiseRouter();

  router.get('/backups/:id', async (request, response) => {
    const { id } = request.params;
    const backup = await authority.perform(
      request,
      {
        event: 'backup-fetch',
        right: 'read',
        clusterRef: async () => (await backupOf(id)).clusterRef,
        meta: { backupId: id },
      },
      () => backupOf(id),
    );
    response.json(backup);
  });

  router.get('/backups/:id/header', async (request, response) => {
    const { id } = request.params;
    const header = await authority.perform(
      request,
      {
        event: 'backup-header-fetch',
        right: 'restore',
        clusterRef: async () => (await backupOf(id)).clusterRef,
        meta: { backupId: id },
      },
      async () => clusters.header(await backupOf(id)),
    );
    response.type('application/octet-stream').send(header);
  });

  router.post('/backups/:id/verifications', async (request, response) => {
    const { id } = request.params;
    const operation = await authority.perform(
      request,
      {
        event: 'backup-verify',
        right: 'create',
        clusterRef: async () => (await backupOf(id)).clusterRef,
        meta: { backupId: id },
      },
      async ({ by }) => {
        parse(nothingShape, request.body);
        return clusterOperations.verify(await backupOf(id), by);
      },
    );
    response.status(202).json(operation);
  });

  async function backupOf(id: string): Promise<Backup> {
    const backup = await backups.get(id);
    if (backup) return backup;
    throw new ClusterBackupError({
      code: 'backup-unknown',
      message: `There is no backup ${id}.`,
      state: NOTHING_CHANGED,
      remedy: "Look for it among the cluster's backups.",
    });
  }

  return router;
}
