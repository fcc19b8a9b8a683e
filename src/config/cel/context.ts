import type { ASTNode } from '@marcbachmann/cel-js';
import type { JsonValue } from '../../issuance/caller.ts';
import { ConditionMistake } from './mistake.ts';
import { doubt, type Evaluate, type Scope } from './scope.ts';

/** What a part of an expression is translated in. */
export type Context = {
  readonly expression: string;
  /** The name that the loop around it gives to its item; null outside of loops. */
  readonly item: string | null;
  /** What was translated so far. */
  readonly tally: { nodes: number; variables: number };
};

export type Translate = (node: ASTNode, context: Context) => Evaluate;

/** @throws {ConditionMistake} always; `says` completes the sentence that begins with the key. */
export function refuse(at: { readonly start: number }, { expression }: Context, says: string, mend: string): never {
  throw new ConditionMistake(expression, at.start, says, mend);
}

/** The part of the expression, as it is written. */
export function source(node: ASTNode, { expression }: Context): string {
  const text = expression.slice(node.start, node.end);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

export function constant(value: JsonValue): Evaluate {
  return () => value;
}

/** The value of a text, number, true, false or null that is written in the expression; undefined for anything else. */
export function literalOf(node: ASTNode, context: Context): JsonValue | undefined {
  if (node.op === '-_') {
    const number = node.args.op === 'value' ? literalOf(node.args, context) : undefined;
    return typeof number === 'number' ? -number : undefined;
  }
  if (node.op !== 'value') return undefined;
  const value = node.args;
  if (typeof value === 'bigint') {
    if (Number.isSafeInteger(Number(value))) return Number(value);
    const mend = `Compare texts: numbers above ${Number.MAX_SAFE_INTEGER} are not exact in JSON.`;
    return refuse(node, context, `${value} is too large`, mend);
  }
  if (typeof value !== 'object' || value === null) return value;
  return refuse(node, context, `${source(node, context)} is not a value of JSON`, 'Write a text or a plain number.');
}

/** Gives what `apply` makes of a value, or a doubt for `reason` where it makes nothing of it. */
export function lift(
  inner: Evaluate,
  reason: string,
  apply: (value: JsonValue, scope: Scope) => JsonValue | undefined,
): Evaluate {
  return (scope) => {
    const value = inner(scope);
    const made = value === undefined ? undefined : apply(value, scope);
    return made === undefined ? doubt(scope, reason) : made;
  };
}

/** As `lift`, of two values. */
export function lift2(
  left: Evaluate,
  right: Evaluate,
  reason: string,
  apply: (one: JsonValue, other: JsonValue, scope: Scope) => JsonValue | undefined,
): Evaluate {
  return (scope) => {
    const one = left(scope);
    const other = right(scope);
    const made = one === undefined || other === undefined ? undefined : apply(one, other, scope);
    return made === undefined ? doubt(scope, reason) : made;
  };
}

/** A part that must be true or false: what is written as true or false decides nothing, and anything else is a doubt. */
export function translateCondition(
  node: ASTNode,
  context: Context,
  translate: Translate,
): (scope: Scope) => boolean | undefined {
  if (typeof literalOf(node, context) === 'boolean') {
    refuse(node, context, `${source(node, context)} here decides nothing`, 'Remove it, or compare a claim with it.');
  }
  const evaluate = translate(node, context);
  const reason = `${source(node, context)} is neither true nor false`;
  return (scope) => {
    const value = evaluate(scope);
    return typeof value === 'boolean' ? value : doubt(scope, reason);
  };
}
