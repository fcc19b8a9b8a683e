import { Environment, ParseError, type ParseResult } from '@marcbachmann/cel-js';
import type { Caller } from '../issuance/caller.ts';
import type { CompiledCondition } from '../issuance/caller-conditions.ts';
import { inOurWords } from './cel/library-words.ts';
import { ConditionMistake } from './cel/mistake.ts';
import type { Evaluate, Scope } from './cel/scope.ts';
import { translate } from './cel/translate.ts';

/** @throws {ConditionMistake} */
export type CompileCondition = (expression: string) => CompiledCondition<Caller>;

/** Far above what a person reads, far below what is slow to walk. Lists may be long: they are the common case. */
const LIMITS = { maxAstNodes: 600, maxDepth: 40, maxListElements: 500, maxMapEntries: 1, maxCallArguments: 8 };

/**
 * Makes the function that compiles CEL expressions over `claims`, `subject` and `issuer`; the same text is compiled once.
 *
 * The library parses and checks types. We evaluate ourselves: its evaluator keeps a type for every shape of value that
 * claims ever had (38 MB after 20,000 hostile JWTs), lets `{"__proto__": {}}` equal any map of one member, and gives no
 * bound to what a comparison of lists costs.
 */
export function createConditionCompiler(): CompileCondition {
  const environment = new Environment({ limits: LIMITS })
    .registerVariable('claims', 'map')
    .registerVariable('subject', 'string')
    .registerVariable('issuer', 'string');
  const compiled = new Map<string, CompiledCondition<Caller> | ConditionMistake>();
  return (expression) => {
    const known = compiled.get(expression) ?? compile(expression, environment);
    compiled.set(expression, known);
    if (known instanceof ConditionMistake) throw known;
    return known;
  };
}

function compile(expression: string, environment: Environment): CompiledCondition<Caller> | ConditionMistake {
  try {
    const parsed = parse(expression, environment);
    const tally = { nodes: 0, variables: 0 };
    const evaluate = translate(parsed.ast, { expression, item: null, tally });
    requireCondition(expression, parsed);
    if (tally.variables > 0) return { text: expression, holds: (caller) => holds(evaluate, caller) };
    const mend = 'Compare a claim, the subject or the issuer, or remove it.';
    return new ConditionMistake(expression, undefined, 'it does not depend on the caller', mend);
  } catch (error) {
    if (error instanceof ConditionMistake) return error;
    throw error;
  }
}

function parse(expression: string, environment: Environment): ParseResult {
  try {
    return environment.parse(expression);
  } catch (error) {
    if (error instanceof ParseError) throw inOurWords(expression, error);
    throw error;
  }
}

/** A claim by itself may be anything, such as the text "false". */
function requireCondition(expression: string, { ast, check }: ParseResult): void {
  const { valid, type, error } = check();
  if (!valid && error !== undefined) throw inOurWords(expression, error);
  if (type === 'bool') return;
  const mend = 'Write == true behind a claim, or compare it with what it must be.';
  throw new ConditionMistake(expression, ast.start, 'it is not a comparison', mend);
}

/** @throws {Error} that says why it cannot be told; it holds words of the expression and none of the claims. */
function holds(evaluate: Evaluate, caller: Caller): boolean {
  const scope: Scope = { caller, item: null, steps: 0, doubt: undefined };
  const value = evaluate(scope);
  if (typeof value === 'boolean') return value;
  throw new Error(scope.doubt ?? 'it cannot be told');
}
