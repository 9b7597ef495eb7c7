import { badRequest } from './status';
import { KubernetesObject } from './storedObject';

/** Tells whether an object is among those that a request selects. */
export type Selection = (object: KubernetesObject) => boolean;

function fieldOf(object: any, path: string): string {
  let value = object;
  for (const name of path.split('.')) value = value?.[name];
  return value === undefined || value === null ? '' : String(value);
}

function fieldTerm(term: string): Selection {
  const match = /^([\w.]+)(==|!=|=)(.*)$/.exec(term);
  if (!match) throw badRequest(`unable to parse field selector "${term}"`);
  const [, path, operator, value] = match;
  return object => (fieldOf(object, path) === value) === (operator !== '!=');
}

function labelTerm(term: string): Selection {
  const set = /^([^\s!=]+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(term);
  if (set) {
    const values = set[3].split(',').map(value => value.trim());
    return ({ metadata: { labels = {} } }) =>
      (set[1] in labels && values.includes(labels[set[1]])) ===
      (set[2] === 'in');
  }
  const match = /^([^\s!=]+)\s*(==|!=|=)\s*([^\s!=]*)$/.exec(term);
  if (match) {
    const [, key, operator, value] = match;
    return ({ metadata: { labels = {} } }) =>
      (labels[key] === value) === (operator !== '!=');
  }
  const presence = /^(!?)([^\s!=]+)$/.exec(term);
  if (!presence) throw badRequest(`unable to parse label selector "${term}"`);
  return ({ metadata: { labels = {} } }) =>
    presence[2] in labels === (presence[1] === '');
}

/** Reads `labelSelector` and `fieldSelector`; undefined when all are selected. */
export function selectionOf(query: URLSearchParams): Selection | undefined {
  const terms = [
    ...(query.get('fieldSelector') ?? '')
      .split(',')
      .filter(Boolean)
      .map(fieldTerm),
    // not at the commas within "in (a, b)"
    ...(query.get('labelSelector') ?? '')
      .split(/,(?![^(]*\))/)
      .map(term => term.trim())
      .filter(Boolean)
      .map(labelTerm),
  ];
  return terms.length ? object => terms.every(term => term(object)) : undefined;
}
