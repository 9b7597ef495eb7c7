import { archiveName, parseArchiveName } from './archiveName';

describe('the name of an archive', () => {
  const at = new Date('2026-11-22T15:15:00.987+01:00');

  it.each([
    [undefined, undefined, '.tar.gz.age'],
    ['gzip', false, '.tar.gz'],
    ['zstd', true, '.tar.zst.age'],
    ['zstd', false, '.tar.zst'],
  ] as const)(
    'holds the cluster and the time in UTC (%s, encrypted: %s)',
    (compression, encrypted, end) => {
      const form = { compression, encrypted };
      expect(archiveName('lab', at, form)).toBe(
        `lab_backup_2026-11-22T141500Z${end}`,
      );
      expect(parseArchiveName(archiveName('a_backup_b', at, form))).toEqual({
        cluster: 'a_backup_b',
        at: new Date('2026-11-22T14:15:00Z'),
        compression: compression ?? 'gzip',
        encrypted: encrypted ?? true,
      });
    },
  );

  it.each([
    'lab_backup_2026-11-22T141500Z.tar',
    'lab_backup_2026-11-22T141500Z.tar.xz.age',
    'lab_backup_2026-13-22T141500Z.tar.gz.age',
    'lab_backup_2026-11-22T141500Z.tar.gz.age.summary.json',
    '_backup_2026-11-22T141500Z.tar.gz.age',
  ])('is not %s', name => {
    expect(parseArchiveName(name)).toBeUndefined();
  });
});
