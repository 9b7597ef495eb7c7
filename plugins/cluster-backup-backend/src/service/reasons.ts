import { Request } from 'express';
import { z } from 'zod';

const MOST = 500;

/** Why, in a person's words. */
export const reasonShape = z.string().trim().min(1).max(MOST);

/** What may be chosen for a restore. */
export const restoreChoicesShape = {
  withFiles: z.boolean().optional(),
  leaveOut: z.array(z.string().max(253)).min(1).max(100).optional(),
  overrides: z.array(z.string().max(100)).min(1).max(20).optional(),
};

/** For the audit, whatever becomes of the request. */
export function reasonIn({ body }: Request): { reason?: string } {
  const { reason } = body ?? {};
  return typeof reason === 'string' ? { reason: reason.slice(0, MOST) } : {};
}
