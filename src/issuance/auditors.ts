import type { Caller } from './caller.ts';
import { type CallerConditions, compileCallerConditions, verdictOf } from './caller-conditions.ts';
import type { Circumstances } from './circumstances.ts';

/** One entry of `auditors` as the configuration writes it. */
export type AuditorRule = CallerConditions & { readonly name: string };

/** Who may read the audit. */
export type Auditors = {
  /** The name of the first entry, in the order of the configuration, that the caller matches; null: it may not. */
  matching(caller: Caller, circumstances: Circumstances): string | null;
};

/**
 * Compiles auditors once, at start. Nobody is one by default, and no grant makes one.
 *
 * @throws {Error} for an entry that every caller of its issuer would match.
 */
export function compileAuditors(rules: readonly AuditorRule[]): Auditors {
  const entries = rules.map((rule) => ({
    name: rule.name,
    conditions: compileCallerConditions(rule, `auditor ${rule.name}`),
  }));
  return {
    matching: (caller, circumstances) =>
      entries.find(({ conditions }) => verdictOf(conditions, caller, circumstances) === 'holds')?.name ?? null,
  };
}
