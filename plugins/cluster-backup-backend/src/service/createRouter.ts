import express, { Router } from 'express';
import PromiseRouter from 'express-promise-router';
import { backupRoutes } from './backups';
import { clusterRoutes } from './clusters';
import { clusterBackupErrors } from './errors';
import { limitRequests } from './limitRequests';
import { operationRoutes } from './operations';
import { recipientRoutes } from './recipients';
import { restoreRequestRoutes } from './restoreRequests';
import { retentionRoutes } from './retention';
import { RouterOptions } from './RouterOptions';

/** A hundred Secrets to put back, with the longest names there are. */
const MOST_BODY = '128kb';

/** The HTTP routes, as openapi.yaml describes them. */
export function createRouter(options: RouterOptions): Router {
  const router = PromiseRouter();
  router.use(limitRequests(options.httpAuth));
  router.use(express.json({ limit: MOST_BODY }));
  router.use(clusterRoutes(options));
  router.use(backupRoutes(options));
  router.use(operationRoutes(options));
  router.use(recipientRoutes(options));
  router.use(restoreRequestRoutes(options));
  router.use(retentionRoutes(options));
  router.use(clusterBackupErrors());
  return router;
}
