import { useEntityPresentation } from '@backstage/plugin-catalog-react';

/** A person's name. */
export function Who(props: { entityRef: string }) {
  const { primaryTitle } = useEntityPresentation(props.entityRef, {
    defaultKind: 'user',
  });
  return <>{primaryTitle}</>;
}
