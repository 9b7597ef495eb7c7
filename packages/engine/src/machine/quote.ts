/**
 * Turns an argument list into one line for a POSIX shell, so that the shell gives back exactly these arguments.
 * Every argument is quoted, whatever is in it: a rule without exceptions is one that can be checked.
 *
 * @throws TypeError when an argument holds a NUL byte, which no argument can carry, or when the list is empty.
 * @public
 */
export function quote(argv: string[]): string {
  if (argv.length === 0) {
    throw new TypeError('A command needs at least one word.');
  }
  return argv
    .map(argument => {
      if (argument.includes('\0')) {
        throw new TypeError('An argument of a command holds a NUL byte.');
      }
      return `'${argument.replaceAll("'", "'\\''")}'`;
    })
    .join(' ');
}

/**
 * As {@link quote}, for a line that a person reads and types: words that mean themselves to a shell have no quotes.
 *
 * @throws TypeError as {@link quote}
 */
export function quoteForPeople(argv: string[]): string {
  return argv
    .map(word => (/^[\w./:@%+=,-]+$/.test(word) ? word : quote([word])))
    .join(' ');
}
