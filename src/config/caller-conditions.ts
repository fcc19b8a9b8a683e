import { z } from 'zod';
import { about } from './alternatives.ts';
import { condition, kubernetesName } from './policy-values.ts';
import { addressRange, claimValue, line, listOf, subjectGlob } from './values.ts';

/** Which callers of an issuer a grant, or an auditor's, is for. */
export const callerConditions = {
  subject: line("Write the JWT's sub, exactly.")
    .optional()
    .meta(about("The JWT's `sub`, exactly. Not with `subjectGlob`.", 'system:serviceaccount:payments:api')),
  subjectGlob: subjectGlob
    .optional()
    .meta(
      about(
        "A pattern for the JWT's `sub`: `*` is any run of characters without `:` and `/`. Not only stars.",
        'system:serviceaccount:payments:*',
      ),
    ),
  claims: z
    .record(line("Write a claim's path: names joined by dots."), claimValue)
    .optional()
    .meta(
      about('Claims by dotted path. Each must equal the value given, or be a list that contains it.', {
        'kubernetes.io.namespace': 'payments',
      }),
    ),
  namespace: kubernetesName('namespace')
    .optional()
    .meta(about("The caller's Kubernetes namespace, exactly. For issuers with `kubernetes`.", 'payments')),
  serviceAccount: kubernetesName('service account')
    .optional()
    .meta(about("The caller's Kubernetes service account, exactly. Only with `namespace`.", 'api')),
  sourceCidrs: listOf(addressRange, 'List at least one address or CIDR range, or leave the key out.')
    .optional()
    .meta(
      about(
        'Addresses that the request may come from: addresses or CIDR ranges. Behind `trustedProxies`, that of their client.',
        ['10.0.0.0/8'],
      ),
    ),
  when: condition
    .optional()
    .meta(
      about(
        'A CEL expression over `claims`, `subject` and `issuer` that must be true. Where it cannot be told, an `allow` gives ' +
          'nothing and a `deny` denies.',
        "'dba' in claims.groups",
      ),
    ),
};

type CallerConditions = {
  subject?: string | undefined;
  subjectGlob?: string | undefined;
  claims?: Record<string, unknown> | undefined;
  namespace?: string | undefined;
  serviceAccount?: string | undefined;
};

export const notBothSubjects = [
  ({ subject, subjectGlob }: CallerConditions) => subject === undefined || subjectGlob === undefined,
  {
    error: 'Keep one of them; write two grants for two kinds of subject.',
    params: { says: 'has both subject and subjectGlob' },
  },
] as const;

export function someCondition(what: string) {
  return [
    ({ subject, subjectGlob, namespace, claims = {} }: CallerConditions) =>
      (subject ?? subjectGlob ?? namespace) !== undefined || Object.keys(claims).length > 0,
    {
      error: `Write subject, subjectGlob, namespace or claims: ${what} to every caller of an issuer is not accepted.`,
      params: { says: 'does not say which callers it is for' },
    },
  ] as const;
}

/** A service account's name says nothing without its namespace: anybody may use the same name in another one. */
export const accountInNamespace = [
  ({ namespace, serviceAccount }: CallerConditions) => serviceAccount === undefined || namespace !== undefined,
  {
    error: 'Add namespace: any namespace may have a service account of that name.',
    params: { says: 'has serviceAccount without namespace' },
  },
] as const;
