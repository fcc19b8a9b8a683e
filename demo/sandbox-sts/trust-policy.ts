import { fitsAction, hasVariables, knowOnly, listOf, type PolicyDocument, type PolicyStatement } from './policy.ts';
import { fits, readPattern } from './wildcard.ts';

/** Who asks for a role, and with what. */
export type TrustRequest = {
  readonly kind: 'AWS' | 'Federated';
  /** Everything that a Principal element may call this caller. */
  readonly names: readonly string[];
  /** The values of condition keys, by the key in lower case: keys are compared without regard to case. */
  readonly context: ReadonlyMap<string, string>;
};

const ELEMENTS = ['Sid', 'Effect', 'Principal', 'Action', 'Condition'];
/** Keys that a request may lack. Another key is an error: the sandbox cannot say whether AWS would have it. */
const KNOWN_KEYS = /^(?:sts:externalid|sts:sourceidentity|sts:rolesessionname|aws:requesttag\/.+|.+:(?:aud|sub))$/;

/** The first of the actions that a role's trust policy does not allow; undefined when it allows them all. */
export function untrustedAction(
  policy: PolicyDocument,
  actions: readonly string[],
  request: TrustRequest,
): string | undefined {
  const statements = listOf(policy.Statement);
  for (const statement of statements) knowOnly(statement, ELEMENTS);
  const ofRequest = statements.filter(
    (statement) => isPrincipal(statement, request) && meetsConditions(policy, statement, request),
  );
  return actions.find((action) => {
    const applying = ofRequest.filter(({ Action }) => listOf(Action).some((pattern) => fitsAction(pattern, action)));
    return applying.length === 0 || applying.some(({ Effect }) => Effect === 'Deny');
  });
}

function isPrincipal({ Principal }: PolicyStatement, { kind, names }: TrustRequest): boolean {
  // IAM reads a bare "*" as {"AWS": "*"}.
  const principals = Principal === '*' ? { AWS: '*' } : (Principal ?? {});
  return listOf(principals[kind] ?? []).some((name) => names.includes(name));
}

/** All operators and all of their keys must hold; of a key's values, one. */
function meetsConditions(policy: PolicyDocument, { Condition = {} }: PolicyStatement, request: TrustRequest): boolean {
  return Object.entries(Condition).every(([operator, keys]) =>
    Object.entries(keys).every(([key, values]) => {
      if (!KNOWN_KEYS.test(key.toLowerCase())) throw new Error(`the sandbox does not know the condition key ${key}`);
      const given = request.context.get(key.toLowerCase());
      return listOf(values).some((value) => holds(operator, readValue(policy, operator, value), given));
    }),
  );
}

function holds(operator: string, value: ReturnType<typeof readPattern>, given: string | undefined): boolean {
  // An operator without IfExists does not hold for a key that the request lacks.
  if (given === undefined) return false;
  return operator === 'StringLike' ? fits(value, given) : value.join('') === given;
}

/** StringEquals knows no wildcards, but both operators read `${*}` as the character. */
function readValue(policy: PolicyDocument, operator: string, value: string): ReturnType<typeof readPattern> {
  if (operator === 'StringLike') return readPattern(value, hasVariables(policy));
  if (operator === 'StringEquals') return [hasVariables(policy) ? value.replace(/\$\{([*?$])\}/g, '$1') : value];
  throw new Error(`the sandbox does not know the condition operator ${operator}`);
}
