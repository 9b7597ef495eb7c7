import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Lab } from '@cluster-backup/lab';
import { configure, Configured, Setup } from '../product';
import { clusterEntities } from './clusterEntities';
import { signInAsGuest } from './guest';
import { checkout, freePort, Portal } from './Portal';

/** A portal that knows a lab as a cluster. */
export interface LabPortal {
  portal: Portal;
  /** Where it is, without a path. */
  url: string;
  /** The lab's entity, the first one if there are several. */
  clusterRef: string;
  /** Where the portal's guest finds its backups. */
  tabUrl: string;
  configured: Configured;
  logFile: string;
}

/**
 * Starts a portal for a lab, with all that is its own in a folder, and waits until its
 * catalog knows its clusters. To stop it is the caller's.
 */
export async function startPortal(
  lab: Lab,
  folder: string,
  setup: Setup = {},
): Promise<LabPortal> {
  const { names = [lab.access().clusterName] } = setup;
  const configured = await configure(lab, folder, setup);
  const url = `http://127.0.0.1:${await freePort()}`;
  const logFile = join(folder, 'portal.log');
  const files = [configured.file, await configurePortal(url, folder, names)];
  if (setup.overlay) {
    const overlay = join(folder, 'overlay.json');
    await writeFile(overlay, JSON.stringify(setup.overlay));
    files.push(overlay);
  }
  const portal = new Portal(url, files, logFile);
  await portal.start();
  try {
    const guest = await signInAsGuest(url);
    for (const name of names) {
      await guest.findInCatalog(`resource:default/${name}`);
    }
  } catch (error) {
    await portal.kill();
    throw error;
  }
  const clusterRef = `resource:default/${names[0]}`;
  const tabUrl = `${url}/catalog/default/resource/${names[0]}/backup`;
  return { portal, url, clusterRef, tabUrl, configured, logFile };
}

/** What a portal needs beside `clusterBackup`: an address, a database in files, a guest, a catalog. */
async function configurePortal(url: string, folder: string, names: string[]) {
  const database = join(folder, 'database');
  await mkdir(database);
  const catalog = join(folder, 'catalog.yaml');
  await writeFile(catalog, names.map(clusterEntities).join('\n---\n'));
  const file = join(folder, 'app-config.json');
  const guests = join(checkout, 'packages/backend/catalog/guests.yaml');
  await writeFile(
    file,
    JSON.stringify({
      // One portal with one build needs no copies of its pages in the database.
      app: { baseUrl: url, disableStaticFallbackCache: true },
      backend: {
        baseUrl: url,
        listen: { host: '127.0.0.1', port: Number(new URL(url).port) },
        cors: { origin: url },
        database: {
          client: 'better-sqlite3',
          connection: { directory: database },
        },
      },
      auth: {
        providers: { guest: { dangerouslyAllowOutsideDevelopment: true } },
      },
      catalog: {
        locations: [guests, catalog].map(target => ({ type: 'file', target })),
      },
    }),
  );
  return file;
}
