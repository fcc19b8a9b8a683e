import type { Caller, JsonValue } from '../../issuance/caller.ts';

/** What an expression sees while it is evaluated, and what that has cost. One for each evaluation. */
export type Scope = {
  readonly caller: Caller;
  /** The item that all, exists, exists_one or filter looks at. They are never nested, so there is one at a time. */
  item: JsonValue;
  steps: number;
  /** Why it cannot be told, the first reason. */
  doubt: string | undefined;
};

/** A part of an expression. undefined, which JSON does not have, is a value that cannot be told. */
export type Evaluate = (scope: Scope) => JsonValue | undefined;

/**
 * What one evaluation may take. A JWT of 16 KiB holds a list of 6,000: one loop over it has 80 steps for each item. A list
 * compared with a list could take millions; the claims are the caller's, so they must not choose how long we work.
 */
const MOST_STEPS = 500_000;

/** @throws {Error} when the evaluation has become too long: nothing around it may take that for a mere doubt. */
export function spend(scope: Scope, steps: number): void {
  scope.steps += steps;
  if (scope.steps > MOST_STEPS) throw new Error('it takes too many steps');
}

export function doubt(scope: Scope, reason: string): undefined {
  scope.doubt ??= reason;
  return undefined;
}
