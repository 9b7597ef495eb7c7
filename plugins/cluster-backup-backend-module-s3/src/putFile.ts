import { randomUUID } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { keyParts, Reading, StoredFile } from '@cluster-backup/engine';
import { Bucket, exclusively, storedFile } from './Bucket';
import { md5, MultipartUpload, PART } from './MultipartUpload';
import { inParts } from './parts';
import { s3Problem } from './s3Problem';
import { fileExists, notKept } from './storeErrors';

/** Tells what this put wrote from what another did. */
const MARK = 'cluster-backup-put';

/** Writes a file that does not exist yet, and looks whether it is there. */
export async function putFile(
  bucket: Bucket,
  key: string,
  source: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<StoredFile> {
  keyParts(key);
  const cut = new AbortController();
  const onAbort = () => cut.abort(signal?.reason);
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  const reading = new Reading(source, cut.signal);
  let upload: MultipartUpload | undefined;
  try {
    signal?.throwIfAborted();
    await refuseExisting(bucket, key);
    const mark = randomUUID();
    const input = {
      ...bucket.at(key),
      ...bucket.encryption(),
      ContentType: 'application/octet-stream',
      Metadata: { [MARK]: mark },
    };
    const parts = inParts(reading, PART);
    const first = (await parts.next()).value!;
    signal?.throwIfAborted();
    if (first.length < PART) {
      const whole = { ...input, Body: first, ContentMD5: md5(first) };
      return await finish(bucket, key, mark, first.length, condition =>
        bucket.client.send(new PutObjectCommand({ ...whole, ...condition })),
      );
    }
    upload = await MultipartUpload.begin(bucket.client, input, cut);
    const size = await upload.send(startingWith(first, parts));
    signal?.throwIfAborted();
    // A server that does not know the condition would replace what has come meanwhile.
    await refuseExisting(bucket, key);
    return await finish(bucket, key, mark, size, condition =>
      upload!.complete(condition),
    );
  } catch (error) {
    const isAborted = await upload?.abort().then(
      () => true,
      () => false,
    );
    const problem = s3Problem(
      bucket,
      {
        what: `can not store ${key}`,
        needs: 's3:PutObject and s3:AbortMultipartUpload',
        key,
        state:
          isAborted === false
            ? 'Nothing is under that name. Parts of it are left, until the store is swept.'
            : 'Nothing of it is left there.',
      },
      error,
    );
    reading.end(problem);
    if (signal?.aborted) throw signal.reason;
    if (reading.failure && !upload?.failure) throw reading.failure.error;
    throw problem;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

async function refuseExisting(bucket: Bucket, key: string) {
  if (await bucket.look(key)) throw fileExists(bucket.id, key);
}

/**
 * The request that gives a file its name. What it answers, or that it does not, is not proof: its answer may be lost,
 * and a second try be refused for the first one's success.
 */
async function finish(
  bucket: Bucket,
  key: string,
  mark: string,
  size: number,
  send: (condition: { IfNoneMatch?: '*' }) => Promise<unknown>,
): Promise<StoredFile> {
  const { id } = bucket;
  const failure = await exclusively(send).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const attempt = {
    what: `can not tell whether it has kept ${key}`,
    needs: 's3:GetObject and s3:ListBucket',
    key,
    state: 'The file may be there.',
  };
  const found = await bucket.look(key, attempt).catch(error => {
    throw failure ? s3Problem(bucket, attempt, failure.error) : error;
  });
  if (!found) {
    throw (
      failure?.error ??
      notKept(id, key, 'it is not there', 'Nothing is under that name.')
    );
  }
  if (found.Metadata?.[MARK] !== mark) throw fileExists(id, key);
  if (found.ContentLength === size) return storedFile(key, found);
  const isGone = await bucket.remove(key, Boolean(found.VersionId)).then(
    () => true,
    () => false,
  );
  throw notKept(
    id,
    key,
    `${found.ContentLength} of ${size} bytes are there`,
    isGone ? 'They were removed.' : 'They could not be removed.',
  );
}

async function* startingWith<T>(first: T, rest: AsyncIterable<T>) {
  yield first;
  yield* rest;
}
