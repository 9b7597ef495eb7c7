import { readOptions } from './options';

const read = (options: Record<string, unknown>) =>
  readOptions({
    id: 'offsite',
    type: 's3',
    folder: '/',
    options: { bucket: 'backups', region: 'eu-central-1', ...options },
  });

describe('what is configured of a bucket', () => {
  it('is taken as it is, with a folder that keys begin with', () => {
    expect(read({})).toEqual({
      bucket: 'backups',
      region: 'eu-central-1',
      prefix: '',
    });
    expect(read({ prefix: '/portal/prod/' }).prefix).toBe('portal/prod/');
    const endpoint = 'https://s3.example.com';
    expect(read({ endpoint, region: undefined }).region).toBe('us-east-1');
  });

  it.each([
    [{ bucket: undefined }, /s3\.bucket/],
    [{ region: undefined }, /s3\.region is missing/],
    [{ endpoint: 's3.example.com:not a url' }, /s3\.endpoint/],
    [{ endpoint: 'ftp://s3.example.com' }, /s3\.endpoint/],
    [{ prefix: 'a/../b' }, /s3\.prefix/],
    [{ prefix: 'a b' }, /s3\.prefix/],
    [{ accessKeyId: 'AKIA' }, /go together/],
    [{ secretAccessKey: 'quite-secret' }, /go together/],
    [
      { accountId: '1', accessKeyId: 'AKIA', secretAccessKey: 'quite-secret' },
      /exclude each other/,
    ],
    [{ kmsKeyId: 'arn:aws:kms:x' }, /s3\.kmsKeyId/],
    [{ serverSideEncryption: 'DES' }, /s3\.serverSideEncryption/],
    [{ objectLock: { mode: 'COMPLIANCE' } }, /s3\.objectLock\.days/],
    [{ objectLock: { mode: 'COMPLIANCE', days: 0 } }, /s3\.objectLock\.days/],
    [{ secretAccesKey: 'quite-secret' }, /secretAccesKey/],
  ])('is refused: %j', (options, words) => {
    let error: any;
    try {
      read(options);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({
      code: 'configuration-wrong',
      message: expect.stringMatching(words),
    });
    expect(error.message).toContain('store offsite');
    expect(JSON.stringify(error)).not.toContain('quite-secret');
  });
});
