import { authorize, type Authorization, concerns, type WantedIdentity } from './authorize.ts';
import type { Caller, JsonValue } from './caller.ts';
import type { Verdict } from './caller-conditions.ts';
import type { Circumstances } from './circumstances.ts';
import { claimedUser } from './claimed-user.ts';
import { applies, type Grant, type Grants } from './grants.ts';

/** Why one grant does or does not give, or take, what is wanted. */
export type GrantExplanation = {
  readonly name: string;
  readonly mode: 'enforce' | 'observe';
  readonly effect: 'allow' | 'deny';
  readonly conditions: readonly {
    readonly text: string;
    readonly verdict: Verdict;
    /** What the caller has there: undefined for nothing, null where no single value is compared. */
    readonly given: { readonly value: JsonValue | undefined } | null;
  }[];
  /** Whether it applies to this caller now. */
  readonly applies: boolean;
  /** Whether what is wanted is among what it is about. */
  readonly concerns: boolean;
  /** For each claim that was to name a user and names none, why. */
  readonly claimMistakes: readonly string[];
};

export type Explanation = Authorization & { readonly grants: readonly GrantExplanation[] };

/** The very decision that a request would get, and what each grant has to do with it, in the order of the configuration. */
export function explain(
  caller: Caller,
  wanted: WantedIdentity,
  grants: Grants,
  circumstances: Circumstances,
): Explanation {
  return {
    ...authorize(caller, wanted, grants, circumstances),
    grants: grants.all.map((grant) => explainGrant(grant, caller, wanted, circumstances)),
  };
}

function explainGrant(
  grant: Grant,
  caller: Caller,
  wanted: WantedIdentity,
  circumstances: Circumstances,
): GrantExplanation {
  const { name, enforced, denials, conditions } = grant;
  return {
    name,
    mode: enforced ? 'enforce' : 'observe',
    effect: denials.length > 0 ? 'deny' : 'allow',
    conditions: conditions.map((condition) => ({
      text: condition.text,
      verdict: condition.verdict(caller, circumstances),
      given: condition.given === null ? null : { value: condition.given(caller, circumstances) },
    })),
    applies: applies(grant, caller, circumstances),
    concerns: concerns(grant, caller, wanted),
    claimMistakes: claimMistakes(grant, caller, wanted),
  };
}

function claimMistakes({ allowances }: Grant, caller: Caller, { database: name }: WantedIdentity): string[] {
  return allowances
    .filter(({ database }) => name === undefined || name === database.name)
    .flatMap(({ claimedUsers, database }) =>
      claimedUsers.map((user) => claimedUser(user, database.engine, caller)).filter((made) => typeof made === 'string'),
    );
}
