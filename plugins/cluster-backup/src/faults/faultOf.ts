import { ResponseError } from '@backstage/errors';
import { Fault } from '@cluster-backup/backstage-plugin-cluster-backup-common';

/** As much of a {@link Fault} as an error tells. */
export type ToldFault = Pick<Fault, 'message'> & Partial<Fault>;

/** What an error says, in the words of whoever said it. */
export function faultOf(error: Error): ToldFault {
  const told = isResponseError(error) ? error.body.error : error;
  const { message, code, state, remedy } = told as ToldFault;
  return { message, code: code ?? told.name, state, remedy };
}

/** Whether no portal answered, rather than one that refused. */
export function isSilence(error: Error): boolean {
  return !isResponseError(error) || [502, 503, 504].includes(error.statusCode);
}

/** Whether the portal knows who asks, and refuses. */
export function isDenial(error: Error): boolean {
  return isResponseError(error) && error.statusCode === 403;
}

function isResponseError(error: Error): error is ResponseError {
  return error.name === 'ResponseError' && 'body' in error;
}
