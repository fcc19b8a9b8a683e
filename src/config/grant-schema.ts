import { z } from 'zod';
import { about } from './alternatives.ts';
import { accountInNamespace, callerConditions, notBothSubjects, someCondition } from './caller-conditions.ts';
import * as policy from './policy-values.ts';
import * as values from './values.ts';

/* Entries of `grants`, `auditors` and `policyTests`. */

const { line, name } = values;

export const allow = z
  .strictObject({
    database: name.meta(about('A name of `databases`.', 'orders')),
    users: values
      .listOf(policy.userOrClaim, 'List at least one database user.')
      .meta(
        about(
          'Database users, each by its exact name; there are no patterns here. `{claims.PATH}` stands for the text of that ' +
            'claim, and needs `userPrefixes`.',
          ['app_rw', 'app_ro'],
        ),
      ),
    userPrefixes: values
      .listOf(policy.userPrefix, 'List at least one prefix.')
      .optional()
      .meta(
        about('What a user that a claim names must begin with, one of these. Required for `{claims.…}`.', ['dev_']),
      ),
    endpoints: values
      .listOf(name, 'List at least one endpoint, or leave the key out for the writer.')
      .optional()
      .meta(
        about("Endpoints of that database. Default: `writer`, or the database's only endpoint.", ['writer', 'reader']),
      ),
  })
  .refine(
    ({ users, userPrefixes }) =>
      userPrefixes !== undefined || !users.some((user) => policy.claimOfUser(user) !== undefined),
    {
      path: ['users'],
      error: 'Add userPrefixes with what such names must begin with.',
      params: { says: 'takes names from a claim without a limit' },
    },
  );

export const deny = z.strictObject({
  database: values
    .text("Write a name of databases, or '*' for every database.", /^(?:\*|[A-Za-z0-9][A-Za-z0-9._-]{0,62})$/)
    .meta(about("A name of `databases`, or `'*'` for every database.", 'orders')),
  users: values
    .listOf(values.userName, 'List at least one database user, or leave the key out for every user.')
    .optional()
    .meta(about('Database users. Default: every user.', ['admin'])),
  endpoints: values
    .listOf(name, 'List at least one endpoint, or leave the key out for every endpoint.')
    .optional()
    .meta(about('Endpoints. Default: every endpoint.', ['writer'])),
});

const TOKENS_MEND = 'Write a number of tokens a minute, from 1 to 1000000.';

const grantFields = {
  name: name.meta(about('What audit records call this grant. Unique.', 'payments-api')),
  mode: z
    .enum(['enforce', 'observe'])
    .default('enforce')
    .meta(about('`observe`: evaluated and named in audit records (`observed`), but it decides nothing.', 'observe')),
  issuer: name.meta(about('A name of `issuers`.', 'cluster')),
  ...callerConditions,
  notBefore: policy.instant.optional().meta(about('When the grant begins: RFC 3339.', '2026-12-01T08:00:00Z')),
  notAfter: policy.instant
    .optional()
    .meta(about('When it ends, that instant excluded: RFC 3339.', '2026-12-01T18:00:00Z')),
  maxTokensPerMinute: z
    .int({ error: TOKENS_MEND })
    .min(1, { error: TOKENS_MEND })
    .max(1_000_000, { error: TOKENS_MEND })
    .optional()
    .meta(about('Tokens a minute that the grant gives, to all its callers together.', 60)),
  allow: values
    .listOf(allow, 'List at least one database with its users.')
    .optional()
    .meta(about('What the callers that match may have.', [{ database: 'orders', users: ['app_ro'] }])),
  deny: values
    .listOf(deny, "List at least one database, or '*'.")
    .optional()
    .meta(about('What the callers that match may not have, whatever other grants allow.', [{ database: '*' }])),
};

export const grant = z
  .strictObject(grantFields)
  .refine(...notBothSubjects)
  .refine(...someCondition('a grant'))
  .refine(...accountInNamespace)
  .refine(({ allow: allowed, deny: denied }) => (allowed === undefined) !== (denied === undefined), {
    error: 'Write either allow or deny.',
    params: { says: 'does not say what it is for' },
  })
  .refine(({ deny: denied, maxTokensPerMinute }) => denied === undefined || maxTokensPerMinute === undefined, {
    error: 'Remove maxTokensPerMinute: a deny gives no tokens.',
    params: { says: 'limits a deny' },
  })
  // Of times that are none by themselves, neither is later.
  .refine(({ notBefore = 0, notAfter = Infinity }) => !(notBefore >= notAfter), {
    error: 'Write a notAfter that is later than notBefore.',
    params: { says: 'ends before it begins' },
  });

export const auditor = z
  .strictObject({
    name: name.meta(about('What audit records call this grant. Unique.', 'security')),
    issuer: name.meta(about('A name of `issuers`.', 'corp')),
    ...callerConditions,
  })
  .refine(...notBothSubjects)
  .refine(...someCondition('an auditor'))
  .refine(...accountInNamespace);

export const policyTest = z.strictObject({
  name: name.meta(about('What `check` calls this test. Unique.', 'api-may-write')),
  issuer: name.meta(about('A name of `issuers`.', 'cluster')),
  claims: z
    .record(z.string(), z.json())
    .refine((claims) => typeof claims['sub'] === 'string' && claims['sub'] !== '', {
      error: 'Write the claims of a JWT, sub among them.',
    })
    .meta(about('The claims of the JWT; `sub` must be there.', { sub: 'system:serviceaccount:payments:api' })),
  database: line('Write the database that is asked for.').meta(about('The database that is asked for.', 'orders')),
  user: line('Write the database user that is asked for.').meta(about('The user that is asked for.', 'app_rw')),
  endpoint: name.optional().meta(about('The endpoint that is asked for. Default: as for a request.', 'reader')),
  sourceAddress: policy.address.optional().meta(about('The address that the request comes from.', '10.1.2.3')),
  at: policy.instant.optional().meta(about('The time of the request. Default: now.', '2026-12-01T12:00:00Z')),
  expect: z.enum(['issued', 'refused']).meta(about('What the grants must decide.', 'issued')),
  grant: name
    .optional()
    .meta(about('The grant that must allow it; with `refused`, the one that must deny it.', 'payments-api')),
});

/** What a file that `include` names may hold. */
export const includedFile = z.strictObject({
  grants: z.array(grant).default([]),
  policyTests: z.array(policyTest).default([]),
});

export const include = z
  .union([policy.includePattern, z.array(policy.includePattern)], {
    error: 'Write the path of a file, or of several with a * in the last part: grants.d/*.yaml.',
  })
  .meta(
    about(
      'Files with more `grants` and `policyTests`, read in the order of their names: a path, or a pattern with `*` in its ' +
        'last part; or a list of them.',
      'grants.d/*.yaml',
    ),
  );
