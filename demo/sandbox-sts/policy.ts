import { fits, fitsArn, readPattern } from './wildcard.ts';

/*
 * IAM's evaluation of identity policies and session policies, for the sandbox. It shares no code with src/.
 * Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements reference".
 */

export type OneOrMore<T> = T | readonly T[];
export type PolicyCondition = Readonly<Record<string, Readonly<Record<string, OneOrMore<string>>>>>;
export type PolicyPrincipal = '*' | Readonly<Record<string, OneOrMore<string>>>;

export type PolicyStatement = {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: PolicyPrincipal;
  readonly Action: OneOrMore<string>;
  readonly Resource?: OneOrMore<string>;
  readonly Condition?: PolicyCondition;
};

export type PolicyDocument = {
  readonly Version: string;
  readonly Id?: string;
  readonly Statement: OneOrMore<PolicyStatement>;
};

/** A policy without a statement: it allows nothing. */
export const NOTHING: PolicyDocument = { Version: '2012-10-17', Statement: [] };

const ELEMENTS = ['Sid', 'Effect', 'Action', 'Resource'];

/**
 * Whether the policy allows an action on a resource: some statement allows it, and none denies it. An element that the
 * sandbox does not evaluate is an error, since to skip it could allow too much or deny too much.
 */
export function allows(policy: PolicyDocument, action: string, resource: string): boolean {
  const statements = listOf(policy.Statement);
  for (const statement of statements) knowOnly(statement, ELEMENTS);
  const applying = statements.filter(({ Action, Resource = [] }) => {
    const forAction = listOf(Action).some((pattern) => fitsAction(pattern, action));
    return forAction && listOf(Resource).some((pattern) => fitsResource(policy, pattern, resource));
  });
  return applying.some(({ Effect }) => Effect === 'Allow') && applying.every(({ Effect }) => Effect === 'Allow');
}

/** Actions are compared without regard to case, and hold no policy variables. */
export function fitsAction(pattern: string, action: string): boolean {
  return fits(readPattern(pattern.toLowerCase(), false), action.toLowerCase());
}

function fitsResource(policy: PolicyDocument, pattern: string, resource: string): boolean {
  return fitsArn(readPattern(pattern, hasVariables(policy)), resource);
}

/** Variables came with the version of 2012; in a document of 2008 `${*}` is text with a wildcard. */
export function hasVariables({ Version }: PolicyDocument): boolean {
  return Version === '2012-10-17';
}

export function knowOnly(statement: PolicyStatement, elements: readonly string[]): void {
  const odd = Object.keys(statement).find((element) => !elements.includes(element));
  if (odd !== undefined) throw new Error(`the sandbox does not evaluate ${odd} in this kind of policy`);
  if (!['Allow', 'Deny'].includes(statement.Effect)) throw new Error('an Effect is Allow or Deny');
}

export function listOf<T>(value: OneOrMore<T>): readonly T[] {
  return isList(value) ? value : [value];
}

function isList<T>(value: OneOrMore<T>): value is readonly T[] {
  return Array.isArray(value);
}
