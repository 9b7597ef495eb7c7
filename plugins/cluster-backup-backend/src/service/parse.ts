import { z } from 'zod';
import { requestInvalid } from './errors';

/** Of requests that say it all with their address. */
export const nothingShape = z.object({}).strict();

/** What a request says, in the shape that it must have. */
export function parse<Shape extends z.ZodType>(
  shape: Shape,
  value: unknown,
): z.infer<Shape> {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const why = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'body'}: ${message}`,
  );
  throw requestInvalid(why.join('; '));
}
