import { z } from 'zod';
import { about } from './alternatives.ts';
import { claimValue, line, subjectGlob } from './values.ts';

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
};

type CallerConditions = {
  subject?: string | undefined;
  subjectGlob?: string | undefined;
  claims?: Record<string, unknown> | undefined;
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
    ({ subject, subjectGlob, claims = {} }: CallerConditions) =>
      (subject ?? subjectGlob) !== undefined || Object.keys(claims).length > 0,
    {
      error: `Write subject, subjectGlob or claims: ${what} to every caller of an issuer is not accepted.`,
      params: { says: 'does not say which callers it is for' },
    },
  ] as const;
}
