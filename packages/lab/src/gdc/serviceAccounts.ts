import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

/** The project that a lab's service accounts belong to. */
export const PROJECT = 'lab-project';

/** The Secrets of a GDC lab that hold a key, and the account of each. */
const accounts: Record<string, string> = {
  'private-registry-creds': 'anthos-baremetal-gcr',
  'gke-connect': 'anthos-baremetal-connect',
  'gke-register': 'anthos-baremetal-register',
  'google-cloud-credentials': 'anthos-baremetal-cloud-ops',
};

/** The JSON key of a Google service account. */
export interface ServiceAccountKey {
  type: 'service_account';
  project_id: string;
  private_key_id: string;
  private_key: string;
  client_email: string;
  client_id: string;
  token_uri: string;
  universe_domain: 'googleapis.com';
}

/** Makes a key for each account, by the name of its Secret. */
export async function createServiceAccountKeys(
  tokenUrl: string,
): Promise<Record<string, ServiceAccountKey>> {
  const keys = Object.entries(accounts).map(async ([secret, account]) => {
    const { privateKey } = await promisify(generateKeyPair)('rsa', {
      modulusLength: 2048,
    });
    const key: ServiceAccountKey = {
      type: 'service_account',
      project_id: PROJECT,
      private_key_id: randomBytes(20).toString('hex'),
      private_key: privateKey
        .export({ format: 'pem', type: 'pkcs8' })
        .toString(),
      client_email: `${account}@${PROJECT}.iam.gserviceaccount.com`,
      client_id: `1${randomBytes(8).readBigUInt64BE() % 10n ** 20n}`,
      token_uri: tokenUrl,
      universe_domain: 'googleapis.com',
    };
    return [secret, key] as const;
  });
  return Object.fromEntries(await Promise.all(keys));
}
