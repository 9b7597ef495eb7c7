import { RequestedRestore } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { Request, Router } from 'express';
import PromiseRouter from 'express-promise-router';
import { z } from 'zod';
import { Allowed } from '../authorization/ClusterAuthority';
import { Right } from '../authorization/rights';
import { requestUnknown } from '../operations/RestoreRequests';
import { clusterPath, refOf } from './clusterPath';
import { nothingShape, parse } from './parse';
import { reasonIn, reasonShape, restoreChoicesShape } from './reasons';
import { RouterOptions } from './RouterOptions';

const requestShape = z
  .object({
    backupId: z.string(),
    reason: reasonShape,
    ...restoreChoicesShape,
  })
  .strict();
const approvalShape = z
  .object({ reason: reasonShape.optional(), emergency: z.boolean().optional() })
  .strict()
  .refine(({ reason, emergency }) => reason !== undefined || !emergency, {
    path: ['reason'],
    message: 'an approval in an emergency takes one',
  });
const rejectionShape = z.object({ reason: reasonShape }).strict();

/** Restores that a second person is asked to approve. */
export function restoreRequestRoutes(options: RouterOptions): Router {
  const { authority, restoreRequests, notifyOwners } = options;
  const router = PromiseRouter();

  router.post(`${clusterPath}/restore-requests`, async (request, response) => {
    const requested = await authority.perform(
      request,
      {
        event: 'restore-request',
        right: 'restore',
        cluster: { ref: refOf(request) },
        meta: {
          backupId: String(request.body?.backupId).slice(0, 36),
          ...reasonIn(request),
        },
      },
      async ({ clusterRef, by, entity }) => {
        const asked = parse(requestShape, request.body);
        const made = await restoreRequests.request(clusterRef, by, asked);
        await notifyOwners(entity, {
          title: `A restore of ${entity.metadata.name} was requested`,
          description: `${by} asks for a second person's approval: ${asked.reason}`,
          severity: 'normal',
          except: by,
        });
        return made;
      },
    );
    response.status(201).json(requested);
  });

  router.get('/restore-requests/:id', async (request, response) => {
    const requested = await perform(
      request,
      { event: 'restore-request-fetch', right: 'read' },
      async ({ id }) => restoreRequests.get(id),
    );
    response.json(requested);
  });

  router.post('/restore-requests/:id/approve', async (request, response) => {
    const isEmergency = request.body?.emergency === true;
    const approved = await perform(
      request,
      {
        event: isEmergency
          ? 'restore-request-approve-alone'
          : 'restore-request-approve',
        right: 'approve',
        ...(isEmergency && { severity: 'critical' }),
      },
      async ({ id, requestedBy, reason: why }, allowed) => {
        const { reason } = parse(approvalShape, request.body);
        const { by, entity } = allowed;
        if (isEmergency) {
          const denied = await authority.whyNotAlone(allowed);
          if (denied) throw denied;
        }
        const decision = { reason, isEmergency };
        const now = await restoreRequests.approve(id, by, decision);
        if (isEmergency) {
          await notifyOwners(entity, {
            title: `EMERGENCY: a restore of ${entity.metadata.name} was approved by one person alone`,
            description: `${by} approved what ${requestedBy} requested (${why}), because: ${reason}`,
            severity: 'critical',
            except: by,
          });
        }
        return now;
      },
    );
    response.json(approved);
  });

  router.post('/restore-requests/:id/reject', async (request, response) => {
    const rejected = await perform(
      request,
      { event: 'restore-request-reject', right: 'approve' },
      async ({ id }, { by }) => {
        const { reason } = parse(rejectionShape, request.body);
        return restoreRequests.reject(id, by, reason);
      },
    );
    response.json(rejected);
  });

  router.post('/restore-requests/:id/withdraw', async (request, response) => {
    const withdrawn = await perform(
      request,
      { event: 'restore-request-withdraw', right: 'restore' },
      async ({ id }, { by }) => {
        parse(nothingShape, request.body);
        return restoreRequests.withdraw(id, by);
      },
    );
    response.json(withdrawn);
  });

  async function perform<T>(
    request: Request,
    wanted: { event: string; right: Right; severity?: 'critical' },
    act: (requested: RequestedRestore, allowed: Allowed) => Promise<T>,
  ): Promise<T> {
    const { id } = request.params;
    return authority.perform(
      request,
      {
        ...wanted,
        cluster: {
          refOf: () => restoreRequests.clusterRefOf(id),
          unknown: () => requestUnknown(id),
        },
        meta: { requestId: id.slice(0, 36), ...reasonIn(request) },
      },
      async allowed => act(await restoreRequests.get(id), allowed),
    );
  }

  return router;
}
