/** A stream of pseudo-random values that is the same for the same seed. */
export interface Random {
  /** from 0, below 1 */
  next(): number;
  /** a whole number from 0, below `limit` */
  below(limit: number): number;
  pick<T>(choices: readonly T[]): T;
  hex(length: number): string;
  uuid(): string;
  /** of a normal distribution, mean 0, deviation 1 */
  normal(): number;
}

const bytesInHex = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/** Chris Doty-Humphrey's sfc32: small, fast, good enough to fill a database. */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = seed;
  let counter = 1;
  function word() {
    const value = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + value) | 0;
    return value >>> 0;
  }
  for (let round = 0; round < 12; round += 1) word();

  const random: Random = {
    next: () => word() / 0x100000000,
    below: limit => Math.floor((word() / 0x100000000) * limit),
    pick: choices => choices[random.below(choices.length)],
    hex(length) {
      let text = '';
      while (text.length < length) {
        const value = word();
        text +=
          bytesInHex[value & 255] +
          bytesInHex[(value >>> 8) & 255] +
          bytesInHex[(value >>> 16) & 255] +
          bytesInHex[value >>> 24];
      }
      return text.slice(0, length);
    },
    uuid() {
      const digits = random.hex(32);
      const variant = '89ab'[random.below(4)];
      return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(
        13,
        16,
      )}-${variant}${digits.slice(17, 20)}-${digits.slice(20)}`;
    },
    normal() {
      const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
      return radius * Math.cos(2 * Math.PI * random.next());
    },
  };
  return random;
}
