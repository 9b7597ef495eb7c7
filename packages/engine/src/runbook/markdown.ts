/** Text that says in Markdown what it is, whatever is in it. */
export function plain(text: string): string {
  return oneLine(text).replace(/[\\`*_{}[\]<>()#+!|~&]/g, '\\$&');
}

/** A name as a person has to type it: nothing in it is Markdown. */
export function code(text: string): string {
  const content = oneLine(text).replaceAll('|', '\\|');
  const fence = '`'.repeat(longestRun(content) + 1);
  return fence.length === 1 ? `\`${content}\`` : `${fence} ${content} ${fence}`;
}

/** Commands for a shell. */
export function shell(...lines: string[]): string {
  const content = lines.join('\n');
  const fence = '`'.repeat(Math.max(3, longestRun(content) + 1));
  return `${fence}sh\n${content}\n${fence}`;
}

export function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [head, head.map(() => '---'), ...rows].map(line).join('\n');
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}

function longestRun(text: string): number {
  const runs = text.match(/`+/g) ?? [];
  return Math.max(0, ...runs.map(run => run.length));
}
