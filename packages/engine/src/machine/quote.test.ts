import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { quote, quoteForPeople } from './quote';

/** Any text without NUL, with more than its share of what shells take for themselves. */
const argument = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(...`'"\\$\`!*?[]{}()<>|&;#~=%^-\n\r\t aé`),
  }),
);
const argv = fc.array(
  argument
    .map(text => text.replaceAll('\0', ''))
    // A lone surrogate is no UTF-8 and would not survive any encoding.
    .filter(text => Buffer.from(text).toString() === text),
  { minLength: 1, maxLength: 20 },
);

describe.each([
  ['sh', quote],
  ['bash', quote],
  ['sh', quoteForPeople],
  ['bash', quoteForPeople],
])('as read by %s', (shell, quoted) => {
  it('gives back every argument as it was', () => {
    fc.assert(
      fc.property(fc.array(argv, { minLength: 1, maxLength: 20 }), lists => {
        const script = lists
          .map(list => `printf '%s\\0' ${quoted(list)}`)
          .join('\n');
        const printed = execFileSync(shell, ['-c', script]).toString();
        expect(printed.split('\0').slice(0, -1)).toEqual(lists.flat());
      }),
      { numRuns: 50 },
    );
  });
});

it('refuses what cannot be an argument, and a command without a word', () => {
  expect(() => quote(['echo', 'a\0b'])).toThrow(TypeError);
  expect(() => quote([])).toThrow(TypeError);
});
