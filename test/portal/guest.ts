import { setTimeout as sleep } from 'node:timers/promises';
import { parseEntityRef } from '@backstage/catalog-model';
import { ClusterBackupClient } from '@cluster-backup/backstage-plugin-cluster-backup-common';

const PATIENCE_MS = 120_000;

/** The portal's API as its guest uses it. */
export interface Guest {
  api: ClusterBackupClient;
  /** With who they are. */
  fetch: typeof fetch;
  /** Resolves when the catalog knows an entity. */
  findInCatalog(entityRef: string): Promise<void>;
}

/** Signs in as the sign-in page does. */
export async function signInAsGuest(url: string): Promise<Guest> {
  const answer = await fetch(`${url}/api/auth/guest/refresh`, {
    method: 'POST',
    headers: { 'X-Requested-With': 'XMLHttpRequest' },
  });
  if (!answer.ok) throw new Error(`No guest is let in: ${await answer.text()}`);
  const { backstageIdentity } = (await answer.json()) as {
    backstageIdentity: { token: string };
  };
  const asGuest: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set('Authorization', `Bearer ${backstageIdentity.token}`);
    return fetch(input, { ...init, headers });
  };
  return {
    fetch: asGuest,
    api: new ClusterBackupClient({
      discoveryApi: { getBaseUrl: async plugin => `${url}/api/${plugin}` },
      fetchApi: { fetch: asGuest },
    }),
    async findInCatalog(entityRef) {
      const { kind, namespace, name } = parseEntityRef(entityRef);
      const entity = `${url}/api/catalog/entities/by-name/${kind}/${namespace}/${name}`;
      const begun = Date.now();
      while (!(await asGuest(entity)).ok) {
        if (Date.now() - begun > PATIENCE_MS) {
          throw new Error(`The catalog does not know ${entityRef}.`);
        }
        await sleep(200);
      }
    },
  };
}
