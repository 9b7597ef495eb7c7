import { ClusterBackupError, NOTHING_CHANGED } from '@cluster-backup/engine';
import { S3Options } from './options';

/** A store, as far as errors name it. */
export interface Place {
  id: string;
  options: S3Options;
}

/** What was tried. */
export interface Attempt {
  /** `can not store KEY`. */
  what: string;
  /** The permissions that it takes. */
  needs: string;
  key?: string;
  /** What is true of the file now. */
  state?: string;
}

/** What an error of the AWS SDK may carry. */
interface Answer {
  name?: string;
  /** Of Node.js, where no answer came. */
  code?: string;
  Region?: string;
  $metadata?: { httpStatusCode?: number; requestId?: string };
  $response?: { statusCode?: number; headers?: Record<string, string> };
}

interface Kind {
  code: string;
  why: string;
  remedy: string;
}

const CREDENTIALS = [
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidToken',
  'TokenRefreshRequired',
];
const ELSEWHERE = [
  'PermanentRedirect',
  'TemporaryRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
];
const DENIED = ['AccessDenied', 'AllAccessDisabled', 'AccountProblem'];
const BUSY = [
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequests',
];
const FULL = [
  'QuotaExceeded',
  'InsufficientStorage',
  'ServiceQuotaExceeded',
  'XMinioStorageFull',
];

export function statusOf(error: unknown): number | undefined {
  const { $metadata, $response } = error as Answer;
  return $metadata?.httpStatusCode ?? $response?.statusCode;
}

/** What a store refused, in words; anything else is somebody else's error and stays what it is. */
export function s3Problem(
  place: Place,
  attempt: Attempt,
  error: unknown,
): unknown {
  if (!(error instanceof Error) || error instanceof ClusterBackupError) {
    return error;
  }
  const kind = kindOf(place, attempt, error as Answer);
  if (!kind) return error;
  const { id, options } = place;
  const { bucket, endpoint } = options;
  const { $metadata } = error as Answer;
  return new ClusterBackupError({
    code: kind.code,
    message: `The store ${id} ${attempt.what}: ${kind.why}.`,
    state: [attempt.state, NOTHING_CHANGED].filter(Boolean).join(' '),
    remedy: kind.remedy,
    details: {
      store: id,
      bucket,
      endpoint,
      key: attempt.key,
      answer: answerOf(error as Answer),
      status: statusOf(error),
      requestId: $metadata?.requestId,
    },
    cause: error,
  });
}

function kindOf(
  { options }: Place,
  { needs }: Attempt,
  error: Answer,
): Kind | undefined {
  const { bucket, endpoint, region, prefix, kmsKeyId } = options;
  const server = endpoint ?? `S3 in ${region}`;
  const status = statusOf(error);
  const answer = answerOf(error);
  const is = (names: string[]) => names.includes(error.name ?? '');

  if (is(['NoSuchBucket'])) {
    return {
      code: 'store-unavailable',
      why: `there is no bucket ${bucket} at ${server}`,
      remedy: 'Create the bucket, or correct bucket, region and endpoint.',
    };
  }
  if (is(ELSEWHERE) || [301, 307].includes(status ?? 0)) {
    const told = error.$response?.headers?.['x-amz-bucket-region'];
    const there = told ?? error.Region;
    const isNamed = there && /^[a-z0-9-]{1,40}$/.test(there);
    return {
      code: 'store-unavailable',
      why: `the bucket ${bucket} is not in region ${region}${
        isNamed ? ` but in ${there}` : ` (${answer})`
      }`,
      remedy: "Set the store's region to the bucket's.",
    };
  }
  if (is(['RequestTimeTooSkewed'])) {
    return {
      code: 'store-clock-skew',
      why: `the clock of this machine and that of ${server} are too far apart (${answer})`,
      remedy: 'Have both keep their time (NTP), then try again.',
    };
  }
  if (is(CREDENTIALS)) {
    return {
      code: 'store-not-permitted',
      why: `${server} does not take its credentials (${answer})`,
      remedy:
        'Give the store valid credentials; docs/stores.md says where they are looked for.',
    };
  }
  if (is(FULL) || status === 507) {
    return {
      code: 'store-full',
      why: `there is no room in bucket ${bucket} (${answer})`,
      remedy: 'Free or add space there, or raise its quota.',
    };
  }
  if (is(DENIED) || status === 403) {
    return {
      code: 'store-not-permitted',
      why: `it is not permitted (${answer})`,
      remedy: `Permit ${needs} on bucket ${bucket}${
        prefix ? ` below ${prefix}` : ''
      }${
        kmsKeyId ? ', and the use of its KMS key' : ''
      }; docs/stores.md has a whole policy.`,
    };
  }
  if (is(BUSY) || status === 429) {
    return {
      code: 'store-busy',
      why: `${server} asks to be asked less (${answer})`,
      remedy:
        'Try again later. When it happens often, spread schedules, or raise the limits there.',
    };
  }
  if (status !== undefined && status >= 500) {
    return {
      code: 'store-unavailable',
      why: `${server} fails (${answer}, HTTP ${status})`,
      remedy: 'Try again later, and look at its logs when it does not pass.',
    };
  }
  if (status !== undefined) {
    return {
      code: 'store-failed',
      why: `${server} refuses (${answer}, HTTP ${status})`,
      remedy:
        "Look this answer up in the store's manual, and check the store's configuration; docs/stores.md says what is asked of a store.",
    };
  }
  if (error.$metadata) {
    return {
      code: 'store-unavailable',
      why: `${server} does not answer (${answer})`,
      remedy:
        'See that the endpoint is right, that it runs, and that it can be reached from here; its certificate must be of an authority that Node.js knows (NODE_EXTRA_CA_CERTS).',
    };
  }
  return undefined;
}

/** What it is called, and nothing that a server may make up. */
function answerOf({ name, code }: Answer): string {
  const told = [code, name].find(
    word => word && word !== 'Error' && /^[A-Za-z0-9._-]{1,60}$/.test(word),
  );
  return told ?? 'no name';
}
