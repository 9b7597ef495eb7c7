import { Operation } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { ClusterBackupError, NOTHING_CHANGED } from '@cluster-backup/engine';
import { Request, Router } from 'express';
import PromiseRouter from 'express-promise-router';
import { z } from 'zod';
import { Allowed } from '../authorization/ClusterAuthority';
import { Right } from '../authorization/rights';
import { nothingShape, parse } from './parse';
import { RouterOptions } from './RouterOptions';

const eventsShape = z
  .object({ after: z.coerce.number().int().min(0).default(0) })
  .strict();
const interruptedShape = z.object({ fileKey: z.string().optional() }).strict();

/** What is asked of an operation, and done to it. */
export function operationRoutes(options: RouterOptions): Router {
  const { authority, operations, clusterOperations } = options;
  const router = PromiseRouter();

  router.get('/operations/:id', async (request, response) => {
    response.json(
      await perform(
        request,
        'operation-fetch',
        'read',
        async operation => operation,
      ),
    );
  });

  router.get('/operations/:id/events', async (request, response) => {
    response.json(
      await perform(request, 'operation-fetch', 'read', async ({ id }) => {
        const { after } = parse(eventsShape, request.query);
        // Before its events: of an operation that has ended these are all.
        const operation = await operationOf(id);
        return { operation, ...(await operations.events(id, after)) };
      }),
    );
  });

  router.post('/operations/:id/cancel', async (request, response) => {
    const operation = await operations.get(request.params.id);
    response.json(
      await perform(
        request,
        'operation-cancel',
        operation?.kind === 'restore' ? 'restore' : 'create',
        async (current, { by }) => {
          parse(nothingShape, request.body);
          return clusterOperations.cancel(current, by);
        },
      ),
    );
  });

  router.post('/operations/:id/resume', async (request, response) => {
    const operation = await perform(
      request,
      'restore-resume',
      'restore',
      async (interrupted, { by }) =>
        clusterOperations.resume(
          interrupted,
          by,
          parse(interruptedShape, request.body),
        ),
    );
    response.status(202).json(operation);
  });

  router.post('/operations/:id/undo', async (request, response) => {
    const operation = await perform(
      request,
      'restore-undo',
      'restore',
      async (interrupted, { by }) =>
        clusterOperations.undo(
          interrupted,
          by,
          parse(interruptedShape, request.body),
        ),
    );
    response.status(202).json(operation);
  });

  async function perform<T>(
    request: Request,
    event: string,
    right: Right,
    act: (operation: Operation, allowed: Allowed) => Promise<T>,
  ): Promise<T> {
    const { id } = request.params;
    return authority.perform(
      request,
      {
        event,
        right,
        cluster: {
          refOf: async () => (await operations.get(id))?.clusterRef,
          unknown: () => operationUnknown(id),
        },
        meta: { operationId: id },
      },
      async allowed => act(await operationOf(id), allowed),
    );
  }

  async function operationOf(id: string): Promise<Operation> {
    const operation = await operations.get(id);
    if (operation) return operation;
    throw operationUnknown(id);
  }

  return router;
}

function operationUnknown(id: string) {
  return new ClusterBackupError({
    code: 'operation-unknown',
    message: `There is no operation ${id}.`,
    state: NOTHING_CHANGED,
    remedy: "Look for it among the cluster's operations.",
  });
}
