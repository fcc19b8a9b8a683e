import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorize } from '../../src/issuance/authorize.ts';
import type { JsonValue } from '../../src/issuance/caller.ts';
import { claimedUser, isAdministrator } from '../../src/issuance/claimed-user.ts';
import type { Engine } from '../../src/issuance/database.ts';
import { compileGrants } from '../../src/issuance/grants.ts';
import { caller, CATALOG, CIRCUMSTANCES } from '../support/catalog.ts';

const USER = { claim: 'preferred_username', prefixes: ['dev_', 'ops_'] };

function named(value: JsonValue | undefined, engine: Engine = 'postgres', prefixes = USER.prefixes): string {
  const claims = value === undefined ? {} : { preferred_username: value };
  const user = claimedUser({ ...USER, prefixes }, engine, caller({ claims }));
  return typeof user === 'string' ? user : `user ${user.name}`;
}

const CASES: readonly [value: JsonValue | undefined, result: string][] = [
  ['dev_dana', 'user dev_dana'],
  ['ops_1', 'user ops_1'],
  ['dev_dana.k-2', 'user dev_dana.k-2'],
  ['dev_', 'the claim preferred_username begins with none of dev_, ops_'],
  ['dana', 'the claim preferred_username begins with none of dev_, ops_'],
  ['xdev_dana', 'the claim preferred_username begins with none of dev_, ops_'],
  [undefined, 'there is no claim preferred_username, or it is ambiguous'],
  [null, 'the claim preferred_username is not a text'],
  [7, 'the claim preferred_username is not a text'],
  [['dev_dana'], 'the claim preferred_username is not a text'],
  [{ name: 'dev_dana' }, 'the claim preferred_username is not a text'],
  ['', "the claim preferred_username has other characters than a-z, 0-9, '_', '.' and '-'"],
];
for (const [value, result] of CASES) {
  test(`a claim ${JSON.stringify(value)} gives: ${result}`, () => assert.equal(named(value), result));
}

const HOSTILE = [
  ...[
    'dev_Dana',
    'dev_dana ',
    ' dev_dana',
    'dev_da*',
    'dev_*',
    'dev_a/../admin',
    "dev_a'b",
    'dev_a"b',
    'dev_a;b',
    'dev_a b',
  ],
  ...[
    'dev_a\n',
    'dev_a\0',
    'dev_а',
    'dev_é',
    'dev_a@corp.example',
    'dev_a:b',
    'dev_%41',
    'dev_a&DBUser=admin',
    'DEV_a',
  ],
];
for (const value of HOSTILE) {
  test(`a claim ${JSON.stringify(value)} names nobody`, () => {
    assert.match(named(value), /has other characters than/);
  });
}

const LENGTHS: readonly [engine: Engine, longest: number][] = [
  ['postgres', 63],
  ['mysql', 32],
  ['mariadb', 80],
];
for (const [engine, longest] of LENGTHS) {
  test(`a user of ${engine} that a claim names has at most ${longest} characters`, () => {
    const name = 'dev_'.padEnd(longest, 'x');
    assert.equal(named(name, engine), `user ${name}`);
    assert.equal(named(`${name}x`, engine), `the claim preferred_username is longer than a user of ${engine}`);
  });
}

for (const name of [
  'rdsadmin',
  'rds_superuser',
  'rdsrepladmin',
  'postgres',
  'pg_monitor',
  'root',
  'admin',
  'administrator',
  'mysql.sys',
]) {
  test(`no claim makes anybody ${name}, whatever the prefix`, () => {
    assert.equal(named(name, 'postgres', [name.slice(0, 2)]), 'the claim preferred_username names an administrator');
  });
}

test('a grant gives the user that the claim names, and no other', () => {
  const grants = compileGrants(
    [
      {
        name: 'developers',
        issuer: 'corp',
        claims: { groups: 'dev' },
        allow: [{ database: 'orders', users: ['app_ro'], claimedUsers: [USER], endpoints: ['writer'] }],
      },
    ],
    CATALOG,
  );
  const dana = caller({ issuer: 'corp', claims: { groups: ['dev'], preferred_username: 'dev_dana' } });
  const decide = (user: string | undefined, who = dana) => {
    const { decided } = authorize(who, { user }, grants, CIRCUMSTANCES);
    return decided.ok ? decided.value.user : decided.refusal.reason;
  };
  assert.equal(decide('dev_dana'), 'dev_dana');
  assert.equal(decide('app_ro'), 'app_ro');
  assert.equal(decide('dev_bob'), 'not_granted');
  assert.equal(decide('{claims.preferred_username}'), 'not_granted');
  assert.equal(decide(undefined), 'choice_ambiguous');
  assert.equal(decide(undefined, { ...dana, claims: { groups: ['dev'] } }), 'app_ro');
});

const NAMES: readonly (readonly [name: string, isAdministrator: boolean])[] = [
  ...['rdsadmin', 'rdsrepladmin', 'rdstopmgr', 'rds_superuser', 'rds.any', 'postgres', 'pg_monitor', 'pg_'].map(
    (name) => [name, true] as const,
  ),
  ...['root', 'admin', 'administrator', 'mysql.sys', 'mysql_x', 'mariadb.sys', 'mariadb_x'].map(
    (name) => [name, true] as const,
  ),
  ...[
    'xrdsadmin',
    'rdsadmin2',
    'xroot',
    'rooty',
    'dev_postgres',
    'postgres_dev',
    'adminx',
    'xpg_a',
    'pgx',
    'mysqlx',
  ].map((name) => [name, false] as const),
];
for (const [name, expected] of NAMES) {
  test(`${name} is ${expected ? 'an administrator' : 'no administrator'}`, () => {
    assert.equal(isAdministrator(name), expected);
  });
}
