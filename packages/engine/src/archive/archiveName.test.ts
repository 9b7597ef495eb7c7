import {
  archiveForm,
  archiveName,
  chosenArchiveName,
  parseArchiveName,
  refuseUnsafeName,
} from './archiveName';

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

describe('a name that a person chose', () => {
  it.each([
    ['before-upgrade', 'gzip', true, 'before-upgrade.tar.gz.age'],
    ['v1.33', 'zstd', true, 'v1.33.tar.zst.age'],
    ['v1.33.tar.zst.age', 'zstd', true, 'v1.33.tar.zst.age'],
    ['_x', 'gzip', false, '_x.tar.gz'],
  ] as const)(
    'gets the ending of its form where it has not: %s',
    (name, compression, encrypted, whole) => {
      const form = { compression, encrypted };
      expect(chosenArchiveName(name, form)).toBe(whole);
      expect(archiveForm(whole)).toEqual(form);
      expect(parseArchiveName(whole)).toBeUndefined();
    },
  );

  it.each([
    '',
    '.hidden',
    '-flag',
    '../up',
    'a/b',
    'a b',
    'ä',
    'a\n',
    'a\0',
    '$(reboot)',
    'x'.repeat(181),
    'a.tar.gz.age.summary.json',
    'a.hold.json',
  ])('is refused where it is not safe: %j', name => {
    expect(() => refuseUnsafeName(name)).toThrow(
      expect.objectContaining({ code: 'archive-name-unsafe' }),
    );
  });

  it.each(['x.tar.gz', 'x.tar.zst.age', 'x.tar.gz.tar.gz.age'])(
    'is refused where it tells of another form: %s',
    name => {
      expect(() =>
        chosenArchiveName(name, { compression: 'gzip', encrypted: true }),
      ).toThrow(expect.objectContaining({ code: 'archive-name-unsafe' }));
    },
  );
});
