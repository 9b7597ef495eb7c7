/** A secret, by the name that a finding is told with. */
export interface Canary {
  name: string;
  secret: string | Buffer;
}

/** Shorter pieces would be found by chance. */
const SHORTEST = 12;

/** Whatever a secret may look like where it was written down. */
export class Traces {
  /** By their first four bytes, so that one look at each place of a file tells of all. */
  private readonly signs = new Map<number, Array<[Buffer, string]>>();

  constructor(canaries: Canary[]) {
    for (const { name, secret } of canaries) {
      for (const text of signsOf(secret)) {
        const sign = Buffer.from(text, 'latin1');
        const first = sign.readUInt32LE(0);
        const alike = this.signs.get(first) ?? [];
        this.signs.set(first, [...alike, [sign, name]]);
      }
    }
  }

  /** Which secrets are in it. */
  in(bytes: Buffer): string[] {
    const found = new Set<string>();
    for (let at = 0; at + 4 <= bytes.length; at++) {
      for (const [sign, name] of this.signs.get(bytes.readUInt32LE(at)) ?? []) {
        const end = at + sign.length;
        const isHere = bytes.subarray(at, end).equals(sign);
        if (isHere) found.add(name);
      }
    }
    return [...found];
  }
}

function* signsOf(secret: string | Buffer): Generator<string> {
  const bytes = Buffer.from(secret as string);
  yield* formsOf(bytes);
  const text = bytes.toString('utf8');
  if (!text.includes('\n')) return;
  // As JSON, YAML and logs have it; and a line of it alone.
  yield JSON.stringify(text).slice(1, -1);
  for (const line of text.split('\n')) {
    const isHidden = line.length >= SHORTEST && !line.startsWith('-----');
    if (isHidden) yield* formsOf(Buffer.from(line));
  }
}

function* formsOf(bytes: Buffer): Generator<string> {
  yield bytes.toString('latin1');
  yield bytes.toString('hex');
  yield bytes.toString('hex').toUpperCase();
  for (const encoding of ['base64', 'base64url'] as const) {
    // Inside of something else it begins at any of three places, and its first and last characters are shared.
    for (const before of [0, 1, 2]) {
      const shifted = Buffer.concat([Buffer.alloc(before), bytes]);
      const whole = shifted.subarray(0, shifted.length - (shifted.length % 3));
      const sign = whole.toString(encoding).slice(before ? 4 : 0);
      if (sign.length >= SHORTEST) yield sign;
    }
  }
}
