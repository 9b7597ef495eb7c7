import { Router } from 'express';
import PromiseRouter from 'express-promise-router';
import { retentionOf, toldRetention } from '../retention/retentionOf';
import { clusterPath, refOf } from './clusterPath';
import { nothingShape, parse } from './parse';
import { RouterOptions } from './RouterOptions';

/** How long backups are kept, and what goes. */
export function retentionRoutes(options: RouterOptions): Router {
  const { authority, retention } = options;
  const router = PromiseRouter();

  router.get(`${clusterPath}/retention`, async (request, response) => {
    const told = await authority.perform(
      request,
      {
        event: 'retention-fetch',
        right: 'read',
        cluster: { ref: refOf(request) },
      },
      ({ clusterRef }) => toldOf(clusterRef),
    );
    response.json(told);
  });

  router.post(
    `${clusterPath}/retention/acceptances`,
    async (request, response) => {
      const told = await authority.perform(
        request,
        {
          event: 'retention-accept',
          right: 'manage',
          cluster: { ref: refOf(request) },
        },
        async ({ clusterRef, by }) => {
          parse(nothingShape, request.body);
          await retention.accept(clusterRef, by);
          return toldOf(clusterRef);
        },
      );
      response.json(told);
    },
  );

  async function toldOf(clusterRef: string) {
    return toldRetention(await retentionOf(clusterRef, options));
  }

  return router;
}
