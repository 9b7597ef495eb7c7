import fc from 'fast-check';
import { parseDescription } from './archive/description';
import { parseChecksums, parseSignature } from './archive/checksums';
import { signSummary, verifySummary } from './archive/summary';
import {
  sampleDescription,
  signingKey,
} from './archive/__testUtils__/sampleArchive';
import { ShapeProblem } from './archive/jsonShape';
import { ClusterBackupError } from './errors';
import { gdcClusterOf } from './gdc/gdcClusterOf';
import { gdcMachines } from './gdc/gdcMachines';
import {
  clusterResource,
  gdcAccess,
  nodePool,
  sshKeySecret,
} from './gdc/__testUtils__/gdcObjects';
import { strangelyLike } from './__testUtils__/strange';
import { objectsIn } from './restore/archivedAccess';

/** It is taken, or refused in words of ours; nothing else comes of it. */
function isJudged(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof ClusterBackupError || error instanceof ShapeProblem) {
      return error.message.length < 2000;
    }
    throw error;
  }
}
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

function summary() {
  return signSummary(
    {
      formatVersion: 1,
      description: sampleDescription(64),
      facts: { revision: 1, snapshotSha256: 'a'.repeat(64) },
      ciphertext: { size: 1, sha256: 'a'.repeat(64) },
      signer: 'SHA256:none',
    },
    signingKey,
  );
}

describe.each<[string, unknown, (document: unknown) => unknown]>([
  [
    'a description',
    sampleDescription(64),
    document => parseDescription(bytes(document)),
  ],
  [
    'checksums',
    {
      formatVersion: 1,
      entries: [
        {
          name: 'backup.json',
          type: 'file',
          mode: 0o600,
          uid: 0,
          gid: 0,
          size: 1,
          mtime: 1,
          sha256: 'a'.repeat(64),
        },
      ],
      facts: { revision: 1, snapshotSha256: 'a'.repeat(64) },
    },
    document => parseChecksums(bytes(document)),
  ],
  [
    'a signature',
    { algorithm: 'Ed25519', publicKey: 'a', signature: 'b' },
    document => parseSignature(bytes(document)),
  ],
  ['a summary', summary(), document => verifySummary(bytes(document))],
  [
    'objects of a cluster',
    { items: [clusterResource(), nodePool('np1', ['10.0.0.9']), sshKeySecret] },
    document => {
      const access = gdcAccess();
      return gdcMachines(gdcClusterOf(access, objectsIn(bytes(document))));
    },
  ],
])('%s', (_, document, read) => {
  it('with anything in the place of something else is taken, or refused in words of ours', () => {
    let count = 0;
    for (const strange of strangelyLike(document)) {
      expect(isJudged(() => read(strange))).toBe(true);
      count++;
    }
    expect(count).toBeGreaterThan(50);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('of any JSON is refused in words of ours', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), value => {
        expect(isJudged(() => read(value))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

it('a summary with no end of depth where nobody looks is refused', () => {
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  const text = JSON.stringify(summary()).replace('{', `{"other":${deep},`);
  expect(() => verifySummary(Buffer.from(text))).toThrow(
    expect.objectContaining({ code: 'summary-invalid' }),
  );
});
