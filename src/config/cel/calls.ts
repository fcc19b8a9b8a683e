import type { ASTNode } from '@marcbachmann/cel-js';
import type { JsonValue } from '../../issuance/caller.ts';
import { nearest } from '../nearest.ts';
import { type Context, lift, lift2, literalOf, refuse, source, type Translate, translateCondition } from './context.ts';
import { type Evaluate, spend } from './scope.ts';
import { every, sizeOf, some } from './values.ts';

/* The functions, and the macros that look at each item of a list. */

/** `has(claims.a.b)` and `size(x)`. */
export function translateCall(
  node: ASTNode,
  [name, args]: readonly [string, readonly ASTNode[]],
  context: Context,
  translate: Translate,
): Evaluate {
  const [argument] = args;
  if (name !== 'has' && name !== 'size') return refuseFunction(node, name, context);
  if (argument === undefined || args.length > 1) return refuseArguments(node, name, 1, context);
  if (name === 'size') return size(argument, context, translate);
  if (argument.op !== '.') {
    const mend = "Write has(claims.NAME); of a name with dots, 'kubernetes.io' in claims.";
    return refuse(argument, context, 'has takes a name behind a dot', mend);
  }
  const [holder, member] = argument.args;
  return lift(translate(holder, context), `${source(holder, context)} is not a map`, (value) => {
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isMap ? Object.hasOwn(value, member) : undefined;
  });
}

/** `x.startsWith(y)` and its like, and the macros. */
export function translateMethod(
  node: ASTNode,
  [name, receiver, args]: readonly [string, ASTNode, readonly ASTNode[]],
  context: Context,
  translate: Translate,
): Evaluate {
  const [first, second] = args;
  const macro = MACROS.get(name);
  if (macro !== undefined) {
    if (first === undefined || second === undefined || args.length > 2) return refuseArguments(node, name, 2, context);
    return loop(node, name, [receiver, first, second], macro, context, translate);
  }
  const test = TEXT_TESTS.get(name);
  if (test !== undefined) {
    if (first === undefined || args.length > 1) return refuseArguments(node, name, 1, context);
    return textTest([receiver, first], test, context, translate);
  }
  if (name !== 'size') return refuseFunction(node, name, context);
  if (args.length > 0) return refuseArguments(node, name, 0, context);
  return size(receiver, context, translate);
}

function size(of: ASTNode, context: Context, translate: Translate): Evaluate {
  return lift(translate(of, context), `${source(of, context)} has no size`, sizeOf);
}

type TextTest = (text: string, part: string) => boolean;

const TEXT_TESTS: ReadonlyMap<string, TextTest> = new Map<string, TextTest>([
  ['startsWith', (text, part) => text.startsWith(part)],
  ['endsWith', (text, part) => text.endsWith(part)],
  ['contains', (text, part) => text.includes(part)],
]);

function textTest(
  [text, part]: readonly [ASTNode, ASTNode],
  test: TextTest,
  context: Context,
  translate: Translate,
): Evaluate {
  for (const operand of [text, part]) {
    const literal = literalOf(operand, context);
    if (literal === undefined || typeof literal === 'string') continue;
    refuse(operand, context, `${source(operand, context)} is not a text`, 'Put it in quotes.');
  }
  const reason = `${source(text, context)} or ${source(part, context)} is not a text`;
  return lift2(translate(text, context), translate(part, context), reason, (one, other, scope) => {
    if (typeof one !== 'string' || typeof other !== 'string') return undefined;
    // A search looks at each character more than once: 'aab' in 'aaaa…'.
    spend(scope, 1 + one.length / 4);
    return test(one, other);
  });
}

type Test = (item: JsonValue) => boolean | undefined;
type Macro = (items: readonly JsonValue[], test: Test) => JsonValue | undefined;

const MACROS: ReadonlyMap<string, Macro> = new Map<string, Macro>([
  ['all', every],
  ['exists', some],
  [
    'exists_one',
    (items, test) => {
      const found = passing(items, test);
      return found === undefined ? undefined : found.length === 1;
    },
  ],
  ['filter', passing],
]);

/** Those that pass; undefined when it cannot be told of one of them. */
function passing(items: readonly JsonValue[], test: Test): JsonValue[] | undefined {
  const told = items.map((item) => test(item));
  return told.includes(undefined) ? undefined : items.filter((_, at) => told[at]);
}

function loop(
  node: ASTNode,
  name: string,
  [range, variable, body]: readonly [ASTNode, ASTNode, ASTNode],
  macro: Macro,
  context: Context,
  translate: Translate,
): Evaluate {
  if (context.item !== null) {
    const mend =
      'Keep one of all, exists, exists_one and filter, and compare its item with what is written or with a claim.';
    return refuse(nameOf(node, name, context), context, `${name} inside another loop is not accepted`, mend);
  }
  const item = variable.op === 'id' ? variable.args : '';
  if (['claims', 'subject', 'issuer'].includes(item)) {
    return refuse(variable, context, `${item} has a meaning already`, 'Give the item another name, such as g.');
  }
  const items = translate(range, context);
  const before = context.tally.nodes;
  const test = translateCondition(body, { ...context, item }, translate);
  const cost = context.tally.nodes - before;
  return lift(items, `${source(range, context)} is neither a list nor a map`, (value, scope) => {
    if (typeof value !== 'object' || value === null) return undefined;
    return macro(Array.isArray(value) ? value : Object.keys(value), (one) => {
      spend(scope, cost);
      scope.item = one;
      return test(scope);
    });
  });
}

const FUNCTIONS = ['has', 'size', 'startsWith', 'endsWith', 'contains', 'all', 'exists', 'exists_one', 'filter'];
const OF_TIME = /^(?:timestamp|duration|now|get[A-Z].*)$/;

function refuseFunction(node: ASTNode, name: string, context: Context): never {
  return refuse(nameOf(node, name, context), context, `${name} is not accepted`, mendOf(name));
}

function mendOf(name: string): string {
  // A JavaScript regular expression: 28 characters can keep it busy for ten seconds.
  if (name === 'matches') return 'Compare texts with ==, startsWith, endsWith or contains.';
  if (name === 'map') return 'Test the items with exists or all instead of making a list of them.';
  if (OF_TIME.test(name)) return 'There is no clock here: write notBefore and notAfter.';
  const near = nearest(name, FUNCTIONS);
  return near === undefined ? `There are ${FUNCTIONS.join(', ')}.` : `Did you mean ${near}?`;
}

function refuseArguments(node: ASTNode, name: string, wanted: number, context: Context): never {
  const mend = wanted === 2 ? `Write LIST.${name}(g, g == 'a').` : `Give it ${wanted === 0 ? 'none' : 'one'}.`;
  return refuse(nameOf(node, name, context), context, `${name} has another number of arguments`, mend);
}

/** Where a function's name stands: a method's node begins with what it is called on. */
function nameOf(node: ASTNode, name: string, { expression }: Context): { readonly start: number } {
  return node.op === 'rcall' ? { start: expression.indexOf(name, node.args[1].end) } : node;
}
