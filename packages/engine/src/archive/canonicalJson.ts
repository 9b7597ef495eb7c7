import { ShapeProblem } from './jsonShape';

/** Of lists and objects in one another. */
const MAX_DEPTH = 100;

/** RFC 8785: members sorted by name, no white space. Numbers and texts are as JSON.stringify writes them. */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) {
    throw new ShapeProblem(`it is more than ${MAX_DEPTH} levels deep`);
  }
  const inner = (member: unknown) => canonicalJson(member, depth + 1);
  if (Array.isArray(value)) {
    return `[${value.map(inner).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => `${JSON.stringify(name)}:${inner(member)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}
