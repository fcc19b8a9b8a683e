import type { ASTNode } from '@marcbachmann/cel-js';
import type { JsonValue } from '../../issuance/caller.ts';
import { nearest } from '../nearest.ts';
import { translateCall, translateMethod } from './calls.ts';
import { constant, type Context, lift, lift2, literalOf, refuse, source, translateCondition } from './context.ts';
import type { Evaluate } from './scope.ts';
import { compare, equals, isIn, memberOf } from './values.ts';

/**
 * Makes an expression's tree into a function. What has no translation here is not accepted, so these are the whole
 * language: CEL without arithmetic, regular expressions, conversions, clocks, maps and loops in loops.
 *
 * @throws {ConditionMistake}
 */
export function translate(node: ASTNode, context: Context): Evaluate {
  context.tally.nodes++;
  switch (node.op) {
    case 'value':
    case '-_': {
      const value = literalOf(node, context);
      return value === undefined ? refuseArithmetic(node, context) : constant(value);
    }
    case 'id':
      return variable(node, node.args, context);
    case '.': {
      const [holder, name] = node.args;
      return lift(translate(holder, context), missing(node, context), (value) => memberOf(value, name));
    }
    case '[]':
      return lift2(...both(node.args, context), missing(node, context), memberOf);
    case 'list':
      return list(node.args, context);
    case '==':
    case '!=':
      return equality(node, node.args, context, node.op === '==');
    case '<':
    case '<=':
    case '>':
    case '>=':
      return ordering(node, node.args, context, ORDERS[node.op]);
    case 'in': {
      requireClaim(node, node.args, context);
      const reason = `${source(node.args[1], context)} is neither a list nor a map`;
      return lift2(...both(node.args, context), reason, isIn);
    }
    case '&&':
    case '||':
      return logical(node.args, context, node.op === '||');
    case '!_': {
      const told = translateCondition(node.args, context, translate);
      return (scope) => {
        const one = told(scope);
        return one === undefined ? undefined : !one;
      };
    }
    case '?:':
      return choice(node.args, context);
    case 'call':
      return translateCall(node, node.args, context, translate);
    case 'rcall':
      return translateMethod(node, node.args, context, translate);
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return refuseArithmetic(node, context);
    case 'map':
      return refuse(node, context, 'a map is not accepted', 'Compare its members one by one.');
    case '.?':
    case '[?]':
      return refuse(node, context, 'an optional member is not accepted', 'Ask with has(…) whether it is there.');
  }
}

type Pair = readonly [ASTNode, ASTNode];

function both([one, other]: Pair, context: Context): [Evaluate, Evaluate] {
  return [translate(one, context), translate(other, context)];
}

function missing(node: ASTNode, context: Context): string {
  return `${source(node, context)} is not there`;
}

function refuseArithmetic(node: ASTNode, context: Context): never {
  const sign = node.op.replace('_', '');
  const [left] = Array.isArray(node.args) ? node.args : [];
  const start = typeof left === 'object' && 'end' in left ? context.expression.indexOf(sign, left.end) : node.start;
  const mend = 'Compare values as they are: there is no arithmetic, and texts are not joined.';
  return refuse({ start }, context, `${sign} is not accepted`, mend);
}

const VARIABLES: ReadonlyMap<string, Evaluate> = new Map<string, Evaluate>([
  ['claims', ({ caller }) => caller.claims],
  ['subject', ({ caller }) => caller.subject],
  ['issuer', ({ caller }) => caller.issuer],
]);

function variable(node: ASTNode, name: string, context: Context): Evaluate {
  if (name === context.item) return ({ item }) => item;
  const read = VARIABLES.get(name);
  if (read === undefined) {
    const near = nearest(name, [...VARIABLES.keys()]);
    const mend = near === undefined ? 'Write claims.NAME, subject or issuer.' : `Did you mean ${near}?`;
    return refuse(node, context, `${name} is not known here`, mend);
  }
  context.tally.variables++;
  return read;
}

function list(items: readonly ASTNode[], context: Context): Evaluate {
  const mend = 'Write texts, numbers, true or false in a list.';
  const values = items.map((item): JsonValue => {
    const value = literalOf(item, context);
    return value === undefined
      ? refuse(item, context, `${source(item, context)} is not accepted in a list`, mend)
      : value;
  });
  return constant(values);
}

/** What is written on both sides is always or never so: a slip, such as a text in quotes that was meant as a claim. */
function requireClaim(node: ASTNode, operands: Pair, context: Context): void {
  if (!operands.every((operand) => operand.op === 'list' || literalOf(operand, context) !== undefined)) return;
  const mend = 'Compare a claim, the subject or the issuer; only texts are in quotes.';
  refuse(node, context, `${source(node, context)} does not depend on the caller`, mend);
}

function equality(node: ASTNode, operands: Pair, context: Context, wanted: boolean): Evaluate {
  requireClaim(node, operands, context);
  return lift2(...both(operands, context), `${source(node, context)} cannot be told`, (one, other, scope) => {
    const told = equals(one, other, scope);
    return told === undefined ? undefined : told === wanted;
  });
}

const ORDERS = {
  '<': (order: number) => order < 0,
  '<=': (order: number) => order <= 0,
  '>': (order: number) => order > 0,
  '>=': (order: number) => order >= 0,
};

function ordering(node: ASTNode, operands: Pair, context: Context, holds: (order: number) => boolean): Evaluate {
  requireClaim(node, operands, context);
  return lift2(
    ...both(operands, context),
    `${source(node, context)} compares what has no order`,
    (one, other, scope) => {
      const order = compare(one, other, scope);
      return order === undefined ? undefined : holds(order);
    },
  );
}

/** One side may decide alone, whatever is in doubt about the other: true of `||`, false of `&&`. */
function logical([one, other]: Pair, context: Context, decisive: boolean): Evaluate {
  const left = translateCondition(one, context, translate);
  const right = translateCondition(other, context, translate);
  return (scope) => {
    const first = left(scope);
    if (first === decisive) return decisive;
    const second = right(scope);
    return second === decisive || first !== undefined ? second : undefined;
  };
}

function choice([condition, ...branches]: readonly [ASTNode, ASTNode, ASTNode], context: Context): Evaluate {
  const told = translateCondition(condition, context, translate);
  const [then, otherwise] = both(branches, context);
  return (scope) => {
    const asked = told(scope);
    return asked === undefined ? undefined : asked ? then(scope) : otherwise(scope);
  };
}
