import fc from 'fast-check';
import { SnapshotParts } from './snapshotParts';

function varint(value: number): Buffer {
  const bytes = [];
  let left = value;
  while (left >= 128) {
    bytes.push((left % 128) + 128);
    left = Math.floor(left / 128);
  }
  return Buffer.from([...bytes, left]);
}

/** As etcd sends it: a header, what remains, a blob; from 3.6 on also a version. */
function message(blob: Buffer, remaining: number, version = ''): Buffer {
  const header = Buffer.from([0x08, 0x96, 0x01]);
  const body = Buffer.concat([
    ...[Buffer.from([0x0a, header.length]), header],
    ...(remaining ? [Buffer.from([0x10]), varint(remaining)] : []),
    ...(blob.length ? [Buffer.from([0x1a]), varint(blob.length), blob] : []),
    ...(version
      ? [Buffer.from([0x22, version.length]), Buffer.from(version)]
      : []),
  ]);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

it('gives the same bytes however the stream is cut', () => {
  const blobs = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 });
  const cuts = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 });
  fc.assert(
    fc.property(blobs, cuts, fc.boolean(), (given, pieces, newer) => {
      const sent = Buffer.concat(given);
      let left = sent.length + 2 ** 33;
      const wire = Buffer.concat(
        given.map(blob => {
          left -= blob.length;
          return message(Buffer.from(blob), left, newer ? '3.6' : '');
        }),
      );
      const parts = new SnapshotParts();
      const received = [];
      let seen = 0;
      for (let at = 0, i = 0; at < wire.length; i++) {
        const piece = pieces[i % pieces.length];
        for (const part of parts.of(wire.subarray(at, at + piece))) {
          received.push(part.blob);
          seen += part.blob.length;
          expect(part.remaining).toBe(sent.length - seen + 2 ** 33);
        }
        at += piece;
      }
      expect(Buffer.concat(received).equals(sent)).toBe(true);
      expect(parts.isInside()).toBe(false);
    }),
  );
});

it('refuses what is no snapshot', () => {
  const read = (bytes: number[]) => [
    ...new SnapshotParts().of(Buffer.from(bytes)),
  ];
  expect(() => read([1, 0, 0, 0, 9, 0])).toThrow(/compressed/);
  expect(() => read([0, 0, 0, 0, 4, 0x1a, 100, 1, 2])).toThrow(/no snapshot/);
  expect(() => read([0, 0, 0, 0, 4, 0x1d, 1, 2, 3])).toThrow(/no snapshot/);
  expect(() => read([0, 0, 0, 0, 12, ...Array(12).fill(0xff)])).toThrow(
    /no snapshot/,
  );
});
