import { Environment } from '@marcbachmann/cel-js';
import type { Caller } from '../issuance/caller.ts';
import type { CompiledCondition } from '../issuance/caller-conditions.ts';

/**
 * Compiles a CEL expression over `claims`, `subject` and `issuer`.
 *
 * @throws {Error} whose message says what is wrong with it.
 */
export function compileCelCondition(expression: string): CompiledCondition<Caller> {
  const environment = new Environment()
    .registerVariable('claims', 'map')
    .registerVariable('subject', 'string')
    .registerVariable('issuer', 'string');
  const evaluate = environment.parse(expression);
  const checked = evaluate.check();
  if (!checked.valid) throw new Error(checked.error?.message ?? 'not valid');
  return {
    text: expression,
    holds: ({ claims, subject, issuer }) => evaluate({ claims, subject, issuer }) === true,
  };
}
