import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkGrants } from '../../src/config/check-grants.ts';
import { createConditionCompiler } from '../../src/config/cel-condition.ts';
import { partsOf } from '../../src/config/parts.ts';
import { loadText, problemsOf, VALID, warningsOf, withChange } from '../support/config-file.ts';
import { type Mistake, testMistakes } from '../support/config-mistakes.ts';

/* What grants give and take: deny, users from claims, times and modes. */

const ALLOW = '    allow:\n      - database: orders\n        users: [app_rw]\n';

/** A row whose valid configuration has one more grant, which denies. */
function deny(what: string, item: string, ...problems: string[]): Mistake {
  const grant = `  - { name: no, issuer: corp, claims: { left: true }, deny: [${item}] }\n`;
  return [what, 'limits:', `${grant}limits:`, ...problems];
}

/** A row whose grant has one more line. */
function line(what: string, written: string, ...problems: string[]): Mistake {
  return [what, '    allow:', `    ${written}\n    allow:`, ...problems];
}

/** A row whose grant allows this. */
function allow(what: string, item: string, ...problems: string[]): Mistake {
  return [what, ALLOW, `    allow: [${item}]\n`, ...problems];
}

const mistakes: readonly Mistake[] = [
  deny('a deny of everything of a caller', "{ database: '*' }"),
  deny('a deny of a user that nobody has, as a guard', "{ database: '*', users: [root] }"),
  deny('a deny of an endpoint', '{ database: orders, endpoints: [reader] }'),
  deny('a deny of an endpoint of every database', "{ database: '*', endpoints: [reader] }"),
  deny(
    'a deny of an unknown database',
    '{ database: order }',
    '27:74: grants[1].deny[0].database names order, which is no database. Did you mean orders?',
  ),
  deny(
    'a deny of a pattern of databases',
    '{ database: "ord*" }',
    '27:74: grants[1].deny[0].database cannot be "ord*". Write a name of databases, or \'*\' for every database.',
  ),
  deny(
    'a deny of an unknown endpoint',
    '{ database: orders, endpoints: [writer, reeder] }',
    '27:102: grants[1].deny[0].endpoints[1] names reeder, which is no endpoint of orders. Did you mean reader?',
  ),
  deny(
    'a deny of an endpoint that no database has',
    "{ database: '*', endpoints: [replica] }",
    '27:91: grants[1].deny[0].endpoints[0] names replica, which is no endpoint of any database. Write one of: writer, reader.',
  ),
  deny(
    'a deny of a user named twice',
    '{ database: orders, users: [a, b, a] }',
    '27:96: grants[1].deny[0].users lists a twice. Keep one of them.',
  ),
  deny(
    'a deny of a user that is a pattern',
    '{ database: orders, users: ["app_*"] }',
    "27:90: grants[1].deny[0].users[0] cannot be \"app_*\". Write a database user's exact name: '*' is not a pattern here; list each user.",
  ),
  deny(
    'a deny of no user',
    '{ database: orders, users: [] }',
    '27:89: grants[1].deny[0].users is empty. List at least one database user, or leave the key out for every user.',
  ),
  ['a deny of nothing', ALLOW, '    deny: []\n', "24:11: grants[0].deny is empty. List at least one database, or '*'."],
  [
    'a deny that is limited',
    ALLOW,
    '    maxTokensPerMinute: 5\n    deny: [{ database: orders }]\n',
    '21:5: grants[0] limits a deny. Remove maxTokensPerMinute: a deny gives no tokens.',
  ],
  allow('a user that a claim names', '{ database: orders, users: ["{claims.user}"], userPrefixes: [dev_] }'),
  allow(
    'a user that a claim names, on a database whose names are short',
    '{ database: orders, users: ["{claims.a.very.long.path.that.is.longer.than.any.user.of.postgres.may.be}"], userPrefixes: [dev_] }',
  ),
  allow(
    'a user that a claim names without a limit',
    '{ database: orders, users: ["{claims.user}"] }',
    '24:40: grants[0].allow[0].users takes names from a claim without a limit. Add userPrefixes with what such names must begin with.',
  ),
  allow(
    'prefixes without a claim',
    '{ database: orders, users: [app_rw], userPrefixes: [dev_] }',
    '24:64: grants[0].allow[0].userPrefixes limits nothing: no user here comes from a claim. Remove it, or write {claims.PATH} as a user.',
  ),
  allow(
    'a prefix named twice',
    '{ database: orders, users: ["{claims.user}"], userPrefixes: [dev_, dev_] }',
    '24:80: grants[0].allow[0].userPrefixes lists dev_ twice. Keep one of them.',
  ),
  allow(
    'a prefix of one letter',
    '{ database: orders, users: ["{claims.user}"], userPrefixes: [a] }',
    "24:74: grants[0].allow[0].userPrefixes[0] cannot be \"a\". Write how such names begin: at least two of a-z, 0-9 and '_', the first a letter or '_', as in dev_.",
  ),
  ...['rds', 'rds_', 'postgres', 'pg', 'pg_', 'root', 'admin', 'rdsadmin', 'mysql', 'mariadb_'].map((prefix) =>
    allow(
      `the prefix ${prefix} of administrators`,
      `{ database: orders, users: ["{claims.user}"], userPrefixes: [dev_, ${prefix}] }`,
      `24:80: grants[0].allow[0].userPrefixes[1] is ${prefix}, and so begin the names of administrators. Write a prefix of your own, as in dev_.`,
    ),
  ),
  ...['{claim.user}', '{claims.user}_rw', 'dev_{claims.user}', '{claims.}', '{user}', '{claims.a}{claims.b}', 'a}'].map(
    (user) =>
      allow(
        `the user ${user}, which is no claim`,
        `{ database: orders, users: ["${user}"], userPrefixes: [dev_] }`,
        `24:41: grants[0].allow[0].users[0] cannot be "${user}". Write a database user's exact name, or {claims.PATH} alone for one that a claim names.`,
      ),
  ),
  line('a window', 'notBefore: "2026-12-01T08:00:00Z"\n    notAfter: "2999-12-01T18:00:00+02:00"'),
  line(
    'a window that ends before it begins',
    'notBefore: "2026-12-01T08:00:00Z"\n    notAfter: "2026-12-01T08:00:00Z"',
    '21:5: grants[0] ends before it begins. Write a notAfter that is later than notBefore.',
  ),
  ...['2026-12-01', '2026-12-01T08:00:00', '01.12.2026', '2026-02-30T08:00:00Z'].map((written) =>
    line(
      `the time ${written}`,
      `notAfter: "${written}"`,
      `24:15: grants[0].notAfter cannot be "${written}". Write an instant as RFC 3339 with Z or an offset, in quotes: "2026-12-01T08:00:00Z".`,
    ),
  ),
  line(
    'a mode of its own',
    'mode: dry-run',
    '24:11: grants[0].mode cannot be "dry-run". Write one of: enforce, observe.',
  ),
  line(
    'no token a minute',
    'maxTokensPerMinute: 0',
    '24:25: grants[0].maxTokensPerMinute cannot be 0. Write a number of tokens a minute, from 1 to 1000000.',
  ),
];

testMistakes(mistakes.filter(([, , , ...problems]) => problems.length > 0));

for (const [what, from, to] of mistakes.filter(([, , , ...problems]) => problems.length === 0)) {
  test(`${what} is accepted, without a warning`, () => {
    assert.deepEqual(problemsOf(withChange(from, to)), []);
    assert.deepEqual(warningsOf(withChange(from, to)), []);
  });
}

test('a denied user that resembles an allowed one gets a warning', () => {
  const text = (user: string, extra = '') =>
    withChange(
      'limits:',
      `  - { name: no, issuer: corp, subject: jo, deny: [{ database: '*', users: [${user}] }] }\n${extra}limits:`,
    );
  assert.deepEqual(warningsOf(text('app_rwx')), [
    '27:76: grants[1].deny[0].users[0] denies app_rwx, whom no grant allows. Did you mean app_rw?',
  ]);
  assert.deepEqual(warningsOf(text('app_rw')), []);
  // A claim may name anybody.
  const claimed =
    '  - { name: c, issuer: corp, subject: jo, allow: [{ database: orders, users: ["{claims.a}"], userPrefixes: [app_] }] }\n';
  assert.deepEqual(warningsOf(text('app_rwx', claimed)), []);
});

test('a grant whose time is over gets a warning from that instant on', () => {
  const { config } = loadText(withChange('    allow:', '    notAfter: "2999-12-01T18:00:00Z"\n    allow:'));
  const end = Date.parse('2999-12-01T18:00:00Z');
  const at = (now: number) =>
    checkGrants(partsOf(config), { compileCondition: createConditionCompiler(), now }).warnings;
  assert.deepEqual(at(end - 1), []);
  assert.deepEqual(
    at(end).map(({ message, mend }) => `${message} ${mend}`),
    ['grants[0].notAfter is past: the grant has no effect any more. Remove the grant, or write a later end.'],
  );
  const past = withChange('    allow:', '    notAfter: "2001-01-01T00:00:00Z"\n    allow:');
  assert.deepEqual(warningsOf(past).length, 1);
});

test('a mistake elsewhere hides no mistake in a deny', () => {
  const text = VALID.replace('port: 8080', 'prot: 8080').replace(
    'limits:',
    '  - { name: no, issuer: corp, subject: jo, deny: [{ database: order }, { database: orders, users: [] }] }\nlimits:',
  );
  assert.deepEqual(
    problemsOf(text).map((problem) => problem.split(' ')[1]),
    ['server.prot', 'grants[1].deny[0].database', 'grants[1].deny[1].users'],
  );
});

test('many denied users that no grant allows are checked in time that grows with their number', () => {
  const { config } = loadText(VALID);
  const [grant] = config.grants;
  assert.ok(grant);
  const grants = Array.from({ length: 20_000 }, (_, at) =>
    at % 2 === 0
      ? { ...grant, name: `g${at}`, allow: [{ database: 'orders', users: [`allowed_user_${at}`] }] }
      : { ...grant, name: `g${at}`, allow: undefined, deny: [{ database: '*', users: [`refused_user_${at}`] }] },
  );
  const started = performance.now();
  const { errors } = checkGrants(
    { ...partsOf(config), grants },
    { compileCondition: createConditionCompiler(), now: 0 },
  );
  assert.deepEqual(errors, []);
  // 0.4 s; compared with each other they take minutes.
  assert.ok(performance.now() - started < 5000);
});
