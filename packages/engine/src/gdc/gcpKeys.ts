import { createSign } from 'node:crypto';
import { DescribedGcpKey } from '../archive';
import { GdcCluster, KubernetesObject } from './GdcCluster';
import { secretIn } from './gdcMachines';

const PATIENCE_MS = 10_000;
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

/** The key of a Google service account; holds a private key. */
interface ServiceAccountKey {
  client_email: string;
  private_key: string;
  private_key_id?: string;
}

/** What became of asking about a key. */
export interface GcpKeyAnswer {
  /** `NAMESPACE/NAME` of its Secret. */
  secret: string;
  /** The account; undefined where the Secret is missing or holds no key. */
  account?: string;
  answer: 'accepted' | 'refused' | 'unasked' | 'missing' | 'unreadable';
  /** Why it was refused or could not be asked. */
  why?: string;
}

/** Asks the issuer of a cluster's GCP keys whether they are still accepted, as whoever uses them does. */
export async function askAboutGcpKeys(
  { access, objects }: GdcCluster,
  signal: AbortSignal,
): Promise<GcpKeyAnswer[]> {
  const { secrets, gcpTokenUrl } = access;
  return Promise.all(
    secrets.gcpKeys.map(async (wanted): Promise<GcpKeyAnswer> => {
      const secret = `${wanted.namespace}/${wanted.name}`;
      const object = secretIn(objects, wanted);
      if (!object) return { secret, answer: 'missing' };
      const key = keyIn(object);
      if (!key) return { secret, answer: 'unreadable' };
      const account = key.client_email;
      return { secret, account, ...(await ask(key, gcpTokenUrl, signal)) };
    }),
  );
}

/** Longer than any account and any key's name. */
const MAX_NAME = 1024;

/** Which GCP keys a cluster has, by their names; what holds none is passed over. */
export function gcpKeysOf({ access, objects }: GdcCluster): DescribedGcpKey[] {
  return access.secrets.gcpKeys.flatMap(wanted => {
    const object = secretIn(objects, wanted);
    const key = object && keyIn(object);
    if (!key) return [];
    const { client_email: account, private_key_id: keyId } = key;
    return [
      {
        secret: `${wanted.namespace}/${wanted.name}`,
        account: account.slice(0, MAX_NAME),
        keyId: typeof keyId === 'string' ? keyId.slice(0, MAX_NAME) : undefined,
      },
    ];
  });
}

/** A key stands in a Secret as JSON, or as the password of a registry. */
function keyIn({ data = {} }: KubernetesObject): ServiceAccountKey | undefined {
  for (const encoded of Object.values(data)) {
    const document = json(Buffer.from(encoded, 'base64').toString());
    const candidates = [
      document,
      ...Object.values(document?.auths ?? {}).map((auth: any) =>
        json(auth?.password ?? passwordIn(auth?.auth)),
      ),
    ];
    const key = candidates.find(
      candidate =>
        typeof candidate?.client_email === 'string' &&
        typeof candidate?.private_key === 'string',
    );
    if (key) return key;
  }
  return undefined;
}

function passwordIn(auth: unknown): string {
  const text = Buffer.from(String(auth ?? ''), 'base64').toString();
  return text.slice(text.indexOf(':') + 1);
}

function json(text: unknown): any {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}

/** RFC 7523: a signed assertion for an access token, which is thrown away. */
async function ask(
  key: ServiceAccountKey,
  url: string,
  signal: AbortSignal,
): Promise<Pick<GcpKeyAnswer, 'answer' | 'why'>> {
  let assertion: string;
  try {
    assertion = signed(key, url);
  } catch {
    return { answer: 'unreadable' };
  }
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion,
      }),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    if (response.ok) return { answer: 'accepted' };
    const told = json(await response.text());
    const why = told?.error_description ?? told?.error;
    const isVerdict = response.status === 400 || response.status === 401;
    return {
      answer: isVerdict ? 'refused' : 'unasked',
      why: String(why ?? `HTTP ${response.status}`).slice(0, 300),
    };
  } catch (error) {
    signal.throwIfAborted();
    const { cause, message } = error as Error & { cause?: Error };
    return { answer: 'unasked', why: cause?.message || message };
  }
}

function signed(key: ServiceAccountKey, audience: string): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object) =>
    Buffer.from(JSON.stringify(value)).toString('base64url');
  const message = [
    part({ alg: 'RS256', typ: 'JWT', kid: key.private_key_id }),
    part({
      iss: key.client_email,
      scope: SCOPE,
      aud: audience,
      iat: now,
      exp: now + 600,
    }),
  ].join('.');
  const signature = createSign('sha256').update(message).sign(key.private_key);
  return `${message}.${signature.toString('base64url')}`;
}
