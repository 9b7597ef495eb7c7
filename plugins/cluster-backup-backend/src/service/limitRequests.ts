import { HttpAuthService } from '@backstage/backend-plugin-api';
import { ClusterBackupError, NOTHING_CHANGED } from '@cluster-backup/engine';
import { RequestHandler } from 'express';
import { rateLimit } from 'express-rate-limit';
import { nameOf } from '../authorization/caller';

const WINDOW_MS = 60_000;
/** More than a person does, and what a machine may do that backs up a fleet. */
export const MOST_A_MINUTE = 120;
/** What is only read and yet costs something, or is good for something. */
const SENSITIVE = /\/(header|archive|managed-clusters|assessment|kept-data)$/;

/**
 * Holds back whoever asks for too much: of what changes something, asks machines or gives out what opens archives. Each
 * replica counts for itself, so that several let as many times more pass.
 */
export function limitRequests(httpAuth: HttpAuthService): RequestHandler {
  return rateLimit({
    windowMs: WINDOW_MS,
    limit: MOST_A_MINUTE,
    standardHeaders: 'draft-7',
    legacyHeaders: false,
    skip: ({ method, path }) => method === 'GET' && !SENSITIVE.test(path),
    keyGenerator: async request =>
      nameOf(
        await httpAuth.credentials(request, { allow: ['user', 'service'] }),
      ),
    handler: (_request, _response, next) => next(tooMany()),
  });
}

function tooMany() {
  return new ClusterBackupError({
    code: 'request-rate',
    message: `You asked for more than ${MOST_A_MINUTE} things within a minute.`,
    state: `This one was not begun. ${NOTHING_CHANGED}`,
    remedy: 'Wait a minute; Retry-After says how long.',
  });
}
