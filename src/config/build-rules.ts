import type { Config } from '../config.ts';
import type { AuditorRule } from '../issuance/auditors.ts';
import type { CallerConditions } from '../issuance/caller-conditions.ts';
import type { AllowRule, GrantRule } from '../issuance/grants.ts';
import { compileAddressRanges } from './address-ranges.ts';
import { usualEndpoint } from './catalog.ts';
import { compileCelCondition } from './cel-condition.ts';
import { claimOfUser } from './policy-values.ts';

/**
 * The grants with their endpoints filled in and their expressions compiled, ready for `compileGrants`.
 *
 * @throws {Error} where `checkReferences` would have found a mistake.
 */
export function buildGrantRules({ grants, databases }: Pick<Config, 'grants' | 'databases'>): GrantRule[] {
  return grants.map((grant): GrantRule => {
    const { sourceCidrs, when, allow, ...rest } = grant;
    return {
      ...rest,
      ...compiled({ sourceCidrs, when }),
      ...(allow === undefined ? {} : { allow: allow.map((item) => buildAllow(grant.name, item, databases)) }),
    };
  });
}

/** The auditors with their expressions compiled, ready for `compileAuditors`. */
export function buildAuditorRules({ auditors }: Pick<Config, 'auditors'>): AuditorRule[] {
  return auditors.map(({ sourceCidrs, when, ...rest }) => ({ ...rest, ...compiled({ sourceCidrs, when }) }));
}

type Written = { readonly sourceCidrs?: readonly string[] | undefined; readonly when?: string | undefined };

function compiled({ sourceCidrs, when }: Written): Pick<CallerConditions, 'sourceCidrs' | 'when'> {
  return {
    ...(sourceCidrs === undefined ? {} : { sourceCidrs: compileAddressRanges(sourceCidrs) }),
    ...(when === undefined ? {} : { when: compileCelCondition(when) }),
  };
}

type Allow = NonNullable<Config['grants'][number]['allow']>[number];

function buildAllow(grant: string, allow: Allow, databases: Config['databases']): AllowRule {
  const { database, users, userPrefixes = [], endpoints } = allow;
  const usual = usualEndpoint(Object.keys(databases[database]?.endpoints ?? {}));
  if (endpoints === undefined && usual === undefined) throw new Error(`grant ${grant} names no endpoint`);
  const claims = users.map(claimOfUser).filter((claim) => claim !== undefined);
  return {
    database,
    users: users.filter((user) => claimOfUser(user) === undefined),
    claimedUsers: claims.map((claim) => ({ claim, prefixes: userPrefixes })),
    endpoints: endpoints ?? (usual === undefined ? [] : [usual]),
  };
}
