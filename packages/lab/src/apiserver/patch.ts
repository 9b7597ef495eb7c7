import { badRequest, invalid, StatusError } from './status';

/** RFC 7386. Lists are replaced, also for a strategic merge patch. */
export function mergePatch(target: any, patch: any): any {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) {
    return patch;
  }
  const isObject =
    target !== null && typeof target === 'object' && !Array.isArray(target);
  const result: any = isObject ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
}

function steps(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map(step => step.replace(/~1/g, '/').replace(/~0/g, '~'));
}

function valueAt(document: any, pointer: string): any {
  return steps(pointer).reduce((value, step) => value?.[step], document);
}

function setAt(document: any, pointer: string, value: any) {
  const path = steps(pointer);
  const last = path.pop();
  const parent = path.reduce((at, step) => at?.[step], document);
  if (last === undefined || parent === undefined || parent === null) {
    throw invalid(`the patch names ${pointer}, which is not there`);
  }
  if (Array.isArray(parent)) {
    parent.splice(last === '-' ? parent.length : Number(last), 0, value);
  } else {
    parent[last] = value;
  }
}

function removeAt(document: any, pointer: string) {
  const path = steps(pointer);
  const last = path.pop();
  const parent = path.reduce((at, step) => at?.[step], document);
  if (last === undefined || parent?.[last] === undefined) {
    throw invalid(`the patch names ${pointer}, which is not there`);
  }
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
}

/** RFC 6902. */
export function jsonPatch(target: any, operations: any): any {
  if (!Array.isArray(operations)) throw badRequest('a JSON patch is a list');
  const document = structuredClone(target);
  for (const { op, path, from, value } of operations) {
    if (op === 'test') {
      if (JSON.stringify(valueAt(document, path)) !== JSON.stringify(value)) {
        throw invalid(`the patch expects another value at ${path}`);
      }
    } else if (op === 'add') {
      setAt(document, path, value);
    } else if (op === 'remove') {
      removeAt(document, path);
    } else if (op === 'replace') {
      removeAt(document, path);
      setAt(document, path, value);
    } else if (op === 'copy' || op === 'move') {
      const moved = structuredClone(valueAt(document, from));
      if (op === 'move') removeAt(document, from);
      setAt(document, path, moved);
    } else {
      throw badRequest(`no such patch operation: ${op}`);
    }
  }
  return document;
}

/** @returns what makes of an object the patched one */
export function readPatch(contentType: string, patch: any) {
  switch (contentType) {
    case 'application/json-patch+json':
      return (target: any) => jsonPatch(target, patch);
    case 'application/merge-patch+json':
    case 'application/strategic-merge-patch+json':
      return (target: any) => mergePatch(target, patch);
    default:
      throw new StatusError(
        415,
        'UnsupportedMediaType',
        `the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json`,
      );
  }
}
