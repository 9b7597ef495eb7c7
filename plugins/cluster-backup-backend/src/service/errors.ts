import {
  ConflictError,
  InputError,
  NotAllowedError,
  NotFoundError,
  ServiceUnavailableError,
} from '@backstage/errors';
import { ClusterBackupError } from '@cluster-backup/engine';
import { ErrorRequestHandler } from 'express';
import { foreseen } from '../operations/fault';

/** The class of each family of codes, which Backstage makes a status of. The first that fits. */
const FAMILIES: Array<[RegExp, { name: string }]> = [
  [
    /^(request|confirmation|identity|reason|override)-|^archive-(wrong-key|name-unsafe)$/,
    InputError,
  ],
  [
    /^(permission-missing|person-needed|not-owner|approver-is-requester|requester-needed|emergency-not-member)$/,
    NotAllowedError,
  ],
  [/-unknown$|^store-file-missing$/, NotFoundError],
  [/^(configuration|signing-key|store|portal)-/, ServiceUnavailableError],
  [/^hold-not-/, ServiceUnavailableError],
  [/^(machine|host-key|etcd|api|ssh-key|sudo)-/, ServiceUnavailableError],
  [/./, ConflictError],
];

/** What goes wrong in words of ours becomes a status, and keeps its parts beside name and message. */
export function clusterBackupErrors(): ErrorRequestHandler {
  return (error, _request, _response, next) => next(withStatus(error));
}

function withStatus(error: unknown): unknown {
  // The parser's words and what it keeps quote the body, which may hold a file key.
  if (Object(error).type === 'entity.parse.failed') {
    return withStatus(requestInvalid('its body is no JSON object'));
  }
  if (Object(error).type === 'entity.too.large') {
    return withStatus(requestInvalid('its body is larger than any'));
  }
  const fault = foreseen(error);
  if (!fault) return error;
  const [, { name }] = FAMILIES.find(([codes]) => codes.test(fault.code))!;
  const { message, ...parts } = fault;
  // Where it was thrown is nobody's business outside; in development Backstage would tell.
  const status = fault.code === 'request-rate' ? { status: 429 } : {};
  return Object.assign(new Error(message), parts, status, { name, stack: '' });
}

/** A request that does not say what it should. */
export function requestInvalid(why: string): ClusterBackupError {
  return new ClusterBackupError({
    code: 'request-invalid',
    message: `The request cannot be understood: ${why}.`,
    state: 'Nothing was begun.',
    remedy: "Correct it; openapi.yaml of the plugin's backend describes it.",
  });
}
