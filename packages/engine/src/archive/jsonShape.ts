/** Says where in a JSON document what was found is not what belongs there. */
export class ShapeProblem extends Error {}

/** Takes a parsed JSON value and gives it back typed; fields it does not know are left out. */
export type Shape<T> = (value: unknown, where: string) => T;

/** An optional field: absent, or of this shape. */
interface Optional<T> {
  optional: Shape<T>;
}
type Field = Shape<any> | Optional<any>;
type ShapeOf<F> = F extends Shape<infer T> ? T : never;
type Fields<S extends Record<string, Field>> = {
  [K in keyof S as S[K] extends Optional<any> ? never : K]: ShapeOf<S[K]>;
} & {
  [K in keyof S as S[K] extends Optional<any>
    ? K
    : never]?: S[K] extends Optional<infer T> ? T : never;
};

export function parseJson<T>(bytes: Buffer, shape: Shape<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
    );
  } catch {
    throw new ShapeProblem('it is no JSON in UTF-8');
  }
  return shape(value, '');
}

export function object<S extends Record<string, Field>>(
  fields: S,
): Shape<Fields<S>> {
  return (value, where) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new ShapeProblem(`${where || 'it'} is no object`);
    }
    const result: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(fields)) {
      const path = where ? `${where}.${name}` : name;
      const present = Object.hasOwn(value, name);
      const found = present
        ? (value as Record<string, unknown>)[name]
        : undefined;
      if (typeof field === 'function') {
        if (found === undefined) {
          throw new ShapeProblem(`${path} is missing`);
        }
        result[name] = field(found, path);
      } else if (found !== undefined) {
        result[name] = field.optional(found, path);
      }
    }
    return result as Fields<S>;
  };
}

export function optional<T>(shape: Shape<T>): Optional<T> {
  return { optional: shape };
}

export function text(
  limits: { max?: number; pattern?: RegExp; what?: string } = {},
): Shape<string> {
  const max = limits.max ?? 1024;
  return (value, where) => {
    if (typeof value !== 'string') {
      throw new ShapeProblem(`${where} is no text`);
    }
    if (value.length > max) {
      throw new ShapeProblem(`${where} has more than ${max} characters`);
    }
    if (limits.pattern && !limits.pattern.test(value)) {
      throw new ShapeProblem(`${where} is no ${limits.what}`);
    }
    return value;
  };
}

export function integer(min: number, max: number): Shape<number> {
  return (value, where) => {
    if (
      typeof value !== 'number' ||
      !Number.isSafeInteger(value) ||
      value < min ||
      value > max
    ) {
      throw new ShapeProblem(
        `${where} is no whole number from ${min} to ${max}`,
      );
    }
    return value;
  };
}

export function oneOf<const T extends string | number>(
  ...allowed: T[]
): Shape<T> {
  return (value, where) => {
    if (!allowed.includes(value as T)) {
      throw new ShapeProblem(`${where} is not ${allowed.join(' or ')}`);
    }
    return value as T;
  };
}

export function list<T>(
  item: Shape<T>,
  limits: { min?: number; max: number },
): Shape<T[]> {
  return (value, where) => {
    if (!Array.isArray(value)) {
      throw new ShapeProblem(`${where} is no list`);
    }
    if (value.length < (limits.min ?? 0) || value.length > limits.max) {
      throw new ShapeProblem(
        `${where} has ${value.length} entries, not ${limits.min ?? 0} to ${
          limits.max
        }`,
      );
    }
    return value.map((entry, index) => item(entry, `${where}[${index}]`));
  };
}
