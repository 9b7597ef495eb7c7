import { archiveName, parseArchiveName } from './archiveName';

describe('the name of an archive', () => {
  it('holds the cluster and the time in UTC', () => {
    const at = new Date('2026-11-22T15:15:00.987+01:00');
    expect(archiveName('lab', at)).toBe(
      'lab_backup_2026-11-22T141500Z.tar.gz.age',
    );
    expect(parseArchiveName(archiveName('a_backup_b', at))).toEqual({
      cluster: 'a_backup_b',
      at: new Date('2026-11-22T14:15:00Z'),
    });
  });

  it.each([
    'lab_backup_2026-11-22T141500Z.tar.gz',
    'lab_backup_2026-13-22T141500Z.tar.gz.age',
    'lab_backup_2026-11-22T141500Z.tar.gz.age.summary.json',
    '_backup_2026-11-22T141500Z.tar.gz.age',
  ])('is not %s', name => {
    expect(parseArchiveName(name)).toBeUndefined();
  });
});
