import { AuthService } from '@backstage/backend-plugin-api';
import {
  Entity,
  RELATION_CHILD_OF,
  RELATION_MEMBER_OF,
  stringifyEntityRef,
} from '@backstage/catalog-model';
import { CatalogService } from '@backstage/plugin-catalog-node';

/** More generations of groups than organizations have. */
const MOST_GENERATIONS = 20;
/** One person is of no more groups. */
const MOST_GROUPS = 1000;

/**
 * A person and all groups that the person is of: those of the session, of the catalog, and the groups that these are
 * parts of. What the catalog does not know is none: nobody owns anything by a name that means nobody.
 */
export async function belongsTo(
  refs: string[],
  { catalog, auth }: { catalog: CatalogService; auth: AuthService },
): Promise<Set<string>> {
  const credentials = await auth.getOwnServiceCredentials();
  const known = new Set<string>();
  const asked = new Set<string>();
  let generation = refs.map(lowerCase);
  for (let i = 0; i < MOST_GENERATIONS && generation.length; i++) {
    const entityRefs = [...new Set(generation)]
      .filter(ref => !asked.has(ref))
      .slice(0, MOST_GROUPS - asked.size);
    if (!entityRefs.length) break;
    entityRefs.forEach(ref => asked.add(ref));
    const { items } = await catalog.getEntitiesByRefs(
      { entityRefs, fields: ['kind', 'metadata', 'relations'] },
      { credentials },
    );
    const found = items.filter(item => item !== undefined);
    found.forEach(entity => known.add(lowerCase(stringifyEntityRef(entity))));
    generation = found.flatMap(groupsAbove);
  }
  return known;
}

function groupsAbove({ relations = [] }: Entity): string[] {
  return relations
    .filter(({ type }) =>
      [RELATION_MEMBER_OF, RELATION_CHILD_OF].includes(type),
    )
    .map(({ targetRef }) => lowerCase(targetRef));
}

export function lowerCase(ref: string): string {
  return ref.toLocaleLowerCase('en-US');
}
