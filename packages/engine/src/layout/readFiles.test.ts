import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localMachine } from '../etcd/__testUtils__/localMachine';
import { readFiles } from './readFiles';

const { signal } = new AbortController();

describe('readFiles', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cb-files-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('passes over a file of more than 2 MiB, and holds no more than 32 MiB of a machine', async () => {
    const file = (name: string, size: number) =>
      writeFileSync(join(folder, name), Buffer.alloc(size, 'a'));
    file('small', 10);
    file('large', (2 << 20) + 1);
    const files = await readFiles(localMachine(), [folder], signal);
    expect([...files.keys()]).toEqual([join(folder, 'small')]);
    for (let i = 0; i < 16; i++) file(`${i}`, 2 << 20);
    await expect(
      readFiles(localMachine(), [folder], signal),
    ).rejects.toMatchObject({ code: 'node-files-too-large' });
  });
});
