/** Whatever may stand where something else belongs. */
const STRANGE: unknown[] = [
  null,
  0,
  -1,
  1e308,
  true,
  '',
  '5',
  '../..',
  '$(id)',
  '-oProxyCommand=id',
  'a\u0000b',
  'two\nlines',
  'x'.repeat(70_000),
  [],
  [null],
  {},
  { length: 3 },
  { toString: 'none' },
  JSON.parse('{"__proto__": {"polluted": true}}'),
  JSON.parse(`${'['.repeat(300)}${']'.repeat(300)}`),
];

/** A document with any one value in it exchanged. */
export function* strangelyLike(document: unknown): Generator<unknown> {
  yield* STRANGE;
  if (typeof document !== 'object' || document === null) return;
  for (const key of Object.keys(document)) {
    const copy = (value: unknown) =>
      Array.isArray(document)
        ? document.map((each, i) => (String(i) === key ? value : each))
        : { ...document, [key]: value };
    const own = (document as Record<string, unknown>)[key];
    for (const value of strangelyLike(own)) yield copy(value);
  }
}
