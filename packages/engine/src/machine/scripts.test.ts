import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import ts from 'typescript';

const SOURCES = resolve(__dirname, '..');
const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts') && !/\.test\.|__testUtils__/.test(name))
  .map(name =>
    ts.createSourceFile(
      name,
      readFileSync(join(SOURCES, name), 'utf8'),
      ts.ScriptTarget.Latest,
      true,
    ),
  );

/** A value that is to be the same whatever the product is told. */
interface Question {
  expression: ts.Expression;
  file: ts.SourceFile;
}

function everyNode(root: ts.Node, visit: (node: ts.Node) => void) {
  visit(root);
  root.forEachChild(child => everyNode(child, visit));
}

/** The scripts that shells are given: the word after `sh -c`. */
function scripts(): Question[] {
  const found: Question[] = [];
  for (const file of files) {
    everyNode(file, node => {
      if (!ts.isArrayLiteralExpression(node)) return;
      const [shell, flag, script] = node.elements;
      if (!shell || !ts.isStringLiteral(shell)) return;
      if (!/^(ba|da)?sh$/.test(shell.text)) return;
      if (!flag || !ts.isStringLiteral(flag) || flag.text !== '-c') return;
      found.push({ expression: script, file });
    });
  }
  return found;
}

/** Where a name in a file comes from: a constant of it, or a parameter of a function around it. */
function origin(name: ts.Identifier, file: ts.SourceFile) {
  for (let at: ts.Node = name; at; at = at.parent) {
    if (!ts.isFunctionLike(at)) continue;
    const index = at.parameters.findIndex(
      parameter => parameter.name.getText(file) === name.text,
    );
    if (index >= 0) return { parameter: index, of: at.name?.getText(file) };
  }
  let value: ts.Expression | undefined;
  everyNode(file, node => {
    const isConstant =
      ts.isVariableDeclaration(node) &&
      node.name.getText(file) === name.text &&
      (node.parent.flags & ts.NodeFlags.Const) !== 0;
    if (isConstant) value = node.initializer;
  });
  return { value };
}

/** What all callers of a function give it there. */
function given(callee: string, index: number): Question[] {
  const found: Question[] = [];
  for (const file of files) {
    everyNode(file, node => {
      const isCall =
        ts.isCallExpression(node) && node.expression.getText(file) === callee;
      const expression = isCall && node.arguments[index];
      if (expression) found.push({ expression, file });
    });
  }
  return found;
}

/** Asks on until nothing but literals is left; tells what is none. */
function told(
  { expression, file }: Question,
  asked = new Set<ts.Node>(),
): string[] {
  if (asked.has(expression)) return [];
  asked.add(expression);
  const on = (more: ts.Expression, of = file) =>
    told({ expression: more, file: of }, asked);
  if (ts.isStringLiteralLike(expression)) return [];
  if (ts.isNumericLiteral(expression)) return [];
  if (ts.isTemplateExpression(expression)) {
    return expression.templateSpans.flatMap(span => on(span.expression));
  }
  if (ts.isBinaryExpression(expression)) {
    return [...on(expression.left), ...on(expression.right)];
  }
  if (ts.isIdentifier(expression)) {
    const from = origin(expression, file);
    if (from.value) return on(from.value);
    if (from.of) {
      return given(from.of, from.parameter!).flatMap(each => told(each, asked));
    }
    const elsewhere = files.find(other =>
      other.text.includes(`export const ${expression.text} =`),
    );
    const there =
      elsewhere && origin(identifierIn(elsewhere, expression), elsewhere);
    if (there?.value) return on(there.value, elsewhere);
  }
  const { line } = file.getLineAndCharacterOfPosition(expression.getStart());
  return [`${file.fileName}:${line + 1}: ${expression.getText(file)}`];
}

function identifierIn(file: ts.SourceFile, like: ts.Identifier) {
  let found = like;
  everyNode(file, node => {
    if (ts.isIdentifier(node) && node.text === like.text) found = node;
  });
  return found;
}

it('makes no script of what it is told: names and paths are arguments of scripts', () => {
  const asked = scripts();
  expect(asked.length).toBeGreaterThan(20);
  expect(asked.flatMap(question => told(question))).toEqual([]);
});

it('puts command lines together in one place, and starts no program on this machine', () => {
  const using = (pattern: RegExp) =>
    files
      .filter(({ text }) => pattern.test(text))
      .map(({ fileName }) => basename(fileName));
  expect(using(/\bquote\(/).sort()).toEqual(['commandLine.ts', 'quote.ts']);
  expect(using(/\bcommandLine\(/).sort()).toEqual([
    'commandLine.ts',
    'remoteCommand.ts',
  ]);
  expect(using(/\.exec\(line\b/).sort()).toEqual([
    'remoteCommand.ts',
    'sessions.ts',
  ]);
  expect(using(/child_process/)).toEqual([]);
});
