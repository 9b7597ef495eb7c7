import {
  configurationWrong,
  keyParts,
  StoreConfiguration,
} from '@cluster-backup/engine';
import { z } from 'zod';

const text = z.string().min(1);

const shape = z
  .object({
    bucket: text,
    region: text.optional(),
    prefix: text.optional(),
    endpoint: z
      .string()
      .regex(/^https?:\/\/[^\/\s]+\/?$/, 'is no https://HOST')
      .optional(),
    forcePathStyle: z.boolean().optional(),
    accountId: text.optional(),
    accessKeyId: text.optional(),
    secretAccessKey: text.optional(),
    serverSideEncryption: z.enum(['AES256', 'aws:kms']).optional(),
    kmsKeyId: text.optional(),
    objectLock: z
      .object({
        mode: z.enum(['COMPLIANCE', 'GOVERNANCE']),
        days: z.number().int().min(1).max(36500),
      })
      .strict()
      .optional(),
  })
  .strict();

/** What is configured of a store in S3; the module's config.d.ts says what it means. */
export interface S3Options
  extends Omit<z.infer<typeof shape>, 'region' | 'prefix'> {
  region: string;
  /** What every key begins with: nothing, or ends with a slash. */
  prefix: string;
}

/**
 * @throws ClusterBackupError `configuration-wrong`
 */
export function readOptions(store: StoreConfiguration): S3Options {
  const wrong = (why: string) =>
    configurationWrong(`of store ${store.id}`, why);
  const read = shape.safeParse(store.options);
  if (!read.success) {
    const [{ path, message }] = read.error.issues;
    throw wrong(`${['s3', ...path].join('.')}: ${message}`);
  }
  const { region, prefix = '', ...options } = read.data;
  if (!region && !options.endpoint) {
    throw wrong('s3.region is missing');
  }
  if (!options.accessKeyId !== !options.secretAccessKey) {
    throw wrong('s3.accessKeyId and s3.secretAccessKey go together');
  }
  if (options.accessKeyId && options.accountId) {
    throw wrong('s3.accountId and s3.accessKeyId exclude each other');
  }
  if (options.kmsKeyId && options.serverSideEncryption !== 'aws:kms') {
    throw wrong('s3.kmsKeyId needs serverSideEncryption: aws:kms');
  }
  const folders = prefix.split('/').filter(Boolean);
  try {
    if (prefix) keyParts(folders.join('/'));
  } catch {
    throw wrong(
      's3.prefix is of letters, digits and . _ - between its slashes',
    );
  }
  return {
    ...options,
    region: region ?? 'us-east-1',
    prefix: folders.map(folder => `${folder}/`).join(''),
  };
}
