import type { Config, DatabaseConfig } from '../config.ts';
import type { AuditorRule } from '../issuance/auditors.ts';
import type { CallerConditions } from '../issuance/caller-conditions.ts';
import type { AllowRule, GrantRule } from '../issuance/grants.ts';
import { compileAddressRanges } from './address-ranges.ts';
import { usualEndpoint } from './catalog.ts';
import { type CompileCondition, createConditionCompiler } from './cel-condition.ts';
import { claimOfUser } from './policy-values.ts';

/**
 * The grants with their endpoints filled in and their expressions compiled, ready for `compileGrants`.
 *
 * @param compileCondition the one that `checkReferences` had has compiled each expression already.
 * @throws {Error} where `checkReferences` would have found a mistake.
 */
export function buildGrantRules(
  { grants, databases }: Pick<Config, 'grants' | 'databases'>,
  compileCondition: CompileCondition = createConditionCompiler(),
): GrantRule[] {
  return grants.map((grant): GrantRule => {
    const { sourceCidrs, when, allow, ...rest } = grant;
    return {
      ...rest,
      ...compiled({ sourceCidrs, when }, compileCondition),
      ...(allow === undefined ? {} : { allow: allow.map((item) => buildAllow(grant.name, item, databases)) }),
    };
  });
}

/** The auditors with their expressions compiled, ready for `compileAuditors`. */
export function buildAuditorRules(
  { auditors }: Pick<Config, 'auditors'>,
  compileCondition: CompileCondition = createConditionCompiler(),
): AuditorRule[] {
  return auditors.map(({ sourceCidrs, when, ...rest }) => ({
    ...rest,
    ...compiled({ sourceCidrs, when }, compileCondition),
  }));
}

type Written = { readonly sourceCidrs?: readonly string[] | undefined; readonly when?: string | undefined };

function compiled(
  { sourceCidrs, when }: Written,
  compileCondition: CompileCondition,
): Pick<CallerConditions, 'sourceCidrs' | 'when'> {
  return {
    ...(sourceCidrs === undefined ? {} : { sourceCidrs: compileAddressRanges(sourceCidrs) }),
    ...(when === undefined ? {} : { when: compileCondition(when) }),
  };
}

type Allow = NonNullable<Config['grants'][number]['allow']>[number];

function buildAllow(grant: string, allow: Allow, databases: Config['databases']): AllowRule {
  const { database, users, userPrefixes = [], endpoints = usualEndpoints(databases[database]) } = allow;
  if (endpoints.length === 0) throw new Error(`grant ${grant} names no endpoint`);
  const claims = users.map(claimOfUser).filter((claim) => claim !== undefined);
  return {
    database,
    users: claims.length === 0 ? users : users.filter((user) => claimOfUser(user) === undefined),
    claimedUsers: claims.map((claim) => ({ claim, prefixes: userPrefixes })),
    endpoints,
  };
}

function usualEndpoints(database: DatabaseConfig | undefined): string[] {
  const usual = usualEndpoint(Object.keys(database?.endpoints ?? {}));
  return usual === undefined ? [] : [usual];
}
