import { identityApiRef, useApi } from '@backstage/frontend-plugin-api';
import { useEffect, useState } from 'react';

/** Who is signed in, once it is known: an entity reference. */
export function usePersonRef(): string | undefined {
  const identityApi = useApi(identityApiRef);
  const [ref, setRef] = useState<string>();
  useEffect(() => {
    let isCurrent = true;
    identityApi.getBackstageIdentity().then(
      ({ userEntityRef }) => isCurrent && setRef(userEntityRef),
      // The portal decides; here it is only about what is offered.
      () => {},
    );
    return () => {
      isCurrent = false;
    };
  }, [identityApi]);
  return ref;
}
