import { ClusterOverview } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { mintKubeconfig } from '@cluster-backup/engine';
import { Router } from 'express';
import PromiseRouter from 'express-promise-router';
import { z } from 'zod';
import { Allowed } from '../authorization/ClusterAuthority';
import { Right } from '../authorization/rights';
import {
  acceptRestoreOf,
  assessmentOf,
  keptDataOf,
} from '../operations/keptData';
import { isPortalsOwn } from '../operations/portalsOwnCluster';
import { runbookOf } from '../operations/runbookOf';
import { judgeProtection } from '../protection/judgeProtection';
import { clusterPath, refOf } from './clusterPath';
import { nothingShape, parse } from './parse';
import { reasonIn, reasonShape, restoreChoicesShape } from './reasons';
import { RouterOptions } from './RouterOptions';

const RECENT = 20;

const pageShape = z
  .object({
    limit: z.coerce.number().int().min(1).max(100).default(20),
    next: z.string().max(36).optional(),
  })
  .strict();
const choicesShape = z
  .object({
    name: z.string().min(1).max(200).optional(),
    stores: z.array(z.string().max(200)).min(1).max(100).optional(),
    withoutQuorum: z.boolean().optional(),
    reason: reasonShape.optional(),
  })
  .strict();
const restoreShape = z
  .object({
    backupId: z.string(),
    confirmation: z.string(),
    fileKey: z.string().optional(),
    reason: reasonShape.optional(),
    ...restoreChoicesShape,
  })
  .strict();
const approvedShape = z
  .object({
    requestId: z.string().max(36),
    confirmation: z.string(),
    fileKey: z.string().optional(),
  })
  .strict();

/** What is asked of a cluster and begun on it. */
export function clusterRoutes(options: RouterOptions): Router {
  const {
    authority,
    clusters,
    operations,
    backups,
    clusterOperations,
    recipientProofs,
    restoreRequests,
  } = options;
  const router = PromiseRouter();

  router.get(clusterPath, async (request, response) => {
    const overview = await authority.perform(
      request,
      {
        event: 'cluster-fetch',
        right: 'read',
        cluster: { ref: refOf(request) },
      },
      overviewOf,
    );
    response.json(overview);
  });

  router.get(`${clusterPath}/backups`, async (request, response) => {
    const page = await authority.perform(
      request,
      { event: 'backup-list', right: 'read', cluster: { ref: refOf(request) } },
      async ({ clusterRef }) =>
        backups.page(clusterRef, parse(pageShape, request.query)),
    );
    response.json(page);
  });

  router.get(`${clusterPath}/runbook`, async (request, response) => {
    const runbook = await authority.perform(
      request,
      {
        event: 'runbook-fetch',
        right: 'read',
        cluster: { ref: refOf(request) },
      },
      ({ clusterRef }) => runbookOf(options, clusterRef),
    );
    response.type('text/markdown').send(runbook);
  });

  router.post(`${clusterPath}/checks`, async (request, response) => {
    const operation = await authority.perform(
      request,
      {
        event: 'check-start',
        right: 'create',
        cluster: { ref: refOf(request) },
      },
      async ({ clusterRef, by }) => {
        parse(nothingShape, request.body);
        return clusterOperations.check(clusterRef, by);
      },
    );
    response.status(202).json(operation);
  });

  router.post(`${clusterPath}/backups`, async (request, response) => {
    const operation = await authority.perform(
      request,
      {
        event: 'backup-start',
        right: 'create',
        cluster: { ref: refOf(request) },
        meta: reasonIn(request),
      },
      async ({ clusterRef, by }) =>
        clusterOperations.backUp(
          clusterRef,
          by,
          parse(choicesShape, request.body),
        ),
    );
    response.status(202).json(operation);
  });

  router.post(`${clusterPath}/restores`, async (request, response) => {
    const operation = await authority.perform(
      request,
      {
        event: 'restore-start',
        right: 'restore',
        cluster: { ref: refOf(request) },
        meta: {
          ...(request.body?.requestId === undefined
            ? { backupId: String(request.body?.backupId).slice(0, 36) }
            : { requestId: String(request.body.requestId).slice(0, 36) }),
          ...reasonIn(request),
        },
      },
      async ({ clusterRef, by }) =>
        request.body?.requestId === undefined
          ? clusterOperations.restore(
              clusterRef,
              by,
              parse(restoreShape, request.body),
            )
          : clusterOperations.restoreApproved(
              clusterRef,
              by,
              parse(approvedShape, request.body),
            ),
    );
    response.status(202).json(operation);
  });

  router.get(`${clusterPath}/assessment`, async (request, response) => {
    const assessment = await authority.perform(
      request,
      {
        event: 'cluster-assess',
        right: 'read',
        cluster: { ref: refOf(request) },
      },
      async ({ clusterRef }) => assessmentOf(clusters, clusterRef),
    );
    response.json(assessment);
  });

  router.get(`${clusterPath}/kept-data`, async (request, response) => {
    const kept = await authority.perform(
      request,
      {
        event: 'kept-data-fetch',
        right: 'read',
        cluster: { ref: refOf(request) },
      },
      async ({ clusterRef }) => keptDataOf(clusters, clusterRef),
    );
    response.json(kept);
  });

  router.delete(
    `${clusterPath}/kept-data/:restore`,
    async (request, response) => {
      const { restore } = request.params;
      const kept = await authority.perform(
        request,
        {
          event: 'restore-accept',
          right: 'restore',
          cluster: { ref: refOf(request) },
          meta: { restore: restore.slice(0, 100) },
        },
        async ({ clusterRef }) =>
          acceptRestoreOf(clusters, clusterRef, restore),
      );
      response.json(kept);
    },
  );

  router.post(`${clusterPath}/kubeconfigs`, async (request, response) => {
    const minted = await authority.perform(
      request,
      {
        event: 'kubeconfig-mint',
        right: 'reveal',
        cluster: { ref: refOf(request) },
      },
      async ({ clusterRef, by }) => {
        parse(nothingShape, request.body);
        return mintKubeconfig({
          cluster: clusters.access(clusterRef),
          holder: by,
        });
      },
    );
    response.set('Cache-Control', 'no-store').json(minted);
  });

  async function overviewOf(allowed: Allowed): Promise<ClusterOverview> {
    const { clusterRef } = allowed;
    const [
      lastBackup,
      lastCheck,
      recipients,
      current,
      recent,
      ownership,
      requests,
      nextBackupAt,
      alone,
      ...rights
    ] = await Promise.all([
      backups.last(clusterRef),
      operations.lastCheck(clusterRef),
      recipientProofs.of(clusters.recipients),
      operations.current(clusterRef),
      operations.recent(clusterRef, RECENT),
      allowed.ownership(),
      restoreRequests.recent(clusterRef),
      options.schedules.dueAt(clusterRef),
      authority.whyNotAlone(allowed),
      may(allowed, 'create'),
      may(allowed, 'restore'),
      may(allowed, 'approve'),
      may(allowed, 'manage'),
      may(allowed, 'reveal'),
    ]);
    const [create, restore, approve, manage, reveal] = rights;
    const name = clusters.name(clusterRef);
    const fault = clusters.whyNoBackup(clusterRef);
    const { expireAfterDays } = clusters;
    const { maxAgeHours, schedule } = options.protectionOf(name);
    return {
      clusterRef,
      name,
      fault,
      stores: clusters.stores,
      expireAfterDays,
      supportLink: options.supportLink,
      runsPortal: isPortalsOwn(options.portalsOwn, name, lastBackup),
      recipients,
      protection: judgeProtection({
        ...{ fault, lastBackup, lastCheck, recent, recipients },
        ...{ maxAgeHours, isScheduled: schedule !== undefined },
        stores: clusters.rightStores(clusterRef),
        expireAfterDays,
      }),
      lastBackup,
      nextBackupAt: schedule && nextBackupAt,
      current,
      recent,
      ownership,
      needsSecondPerson: restoreRequests.needsSecondPerson(clusterRef),
      restoreRequests: requests,
      allowed: {
        create,
        restore,
        approve,
        approveAlone:
          alone && approve.allowed
            ? { allowed: false, reason: alone.message }
            : approve,
        manage,
        reveal,
      },
    };
  }

  async function may(allowed: Allowed, right: Right) {
    const denied = await authority.whyNot(allowed, right);
    return { allowed: !denied, reason: denied?.message };
  }

  return router;
}
