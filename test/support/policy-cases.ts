import type { DatabaseConfig, GrantConfig } from '../../src/config.ts';
import type { Caller, Claims } from '../../src/issuance/caller.ts';
import type { Circumstances } from '../../src/issuance/circumstances.ts';
import type { WantedIdentity } from '../../src/issuance/authorize.ts';
import type { Meanings, Told } from './policy-oracle.ts';

/*
 * Random policies and requests over few names, so that they meet often. All of it follows from one seed.
 */

export type Random = {
  /** 0 inclusive to `below` exclusive. */
  below(below: number): number;
  pick<Item>(items: readonly Item[]): Item;
  /** True so many times of a hundred. */
  chance(percent: number): boolean;
  /** Some of the items, at least one. */
  some<Item>(items: readonly Item[]): Item[];
};

/** Tommy Ettinger's mulberry32: small, and good enough for choosing cases. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  const pick = <Item>(items: readonly Item[]): Item => {
    const item = items[below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  };
  return {
    below,
    pick,
    chance: (percent) => next() * 100 < percent,
    some: (items) => [...new Set(Array.from({ length: 1 + below(items.length) }, () => pick(items)))],
  };
}

export const NOW = 1_790_000_000_000;
/** Subjects of tokens. */
export const SUBJECTS = [
  'system:serviceaccount:pay:api',
  'system:serviceaccount:pay:job-1',
  'system:serviceaccount:web:api',
  'dana',
  'a/b:c',
];
const GLOBS = [
  'system:serviceaccount:pay:*',
  'system:serviceaccount:*:api',
  '*:serviceaccount:pay:job-*',
  'd*a',
  'a/*:c',
  '*x',
  'da*',
];
const USERS = ['rw', 'ro', 'admin', 'dev_dana', 'toString', '{claims.name}', '{claims.a.b}'];
const PLAIN_USERS = USERS.filter((user) => !user.startsWith('{'));
const ENDPOINTS = ['writer', 'reader', 'third'];
const RANGES = ['10.0.0.0/8', '10.1.2.3', '10.1.0.0/16', '0.0.0.0/0', '192.168.0.0/30', '2001:db8::1'];
const ADDRESSES = ['10.1.2.3', '::ffff:10.1.2.3', '10.2.2.2', '192.168.0.3', '192.168.0.4', '2001:db8::1', '8.8.8.8'];
const NAMES = [
  'dev_dana',
  'dev_',
  'rw',
  'admin',
  'rds_superuser',
  'Dev_x',
  'dev_x y',
  'dev_'.padEnd(33, 'x'),
  'ops_1',
  '',
];

export const DATABASES: Readonly<Record<string, DatabaseConfig>> = {
  orders: databaseOf('postgres', ['writer', 'reader']),
  billing: databaseOf('mysql', ['writer']),
  stock: databaseOf('mariadb', ['writer', 'reader', 'third']),
};

function databaseOf(engine: DatabaseConfig['engine'], endpoints: readonly string[]): DatabaseConfig {
  return {
    engine,
    region: 'us-west-2',
    accountId: '123456789012',
    resourceId: 'cluster-ABCDEFGH',
    endpoints: Object.fromEntries(
      endpoints.map((name) => [name, { host: `${name}.us-west-2.rds.amazonaws.com`, port: 5432 }]),
    ),
  };
}

/** Expressions, and what they mean without CEL. What reads a claim that is not there cannot be told. */
export const MEANINGS: Meanings = new Map<string, (caller: Caller) => Told>([
  ["'dba' in claims.groups", ({ claims: { groups } }) => (Array.isArray(groups) ? groups.includes('dba') : null)],
  ["subject.startsWith('system:')", ({ subject }) => subject.slice(0, 7) === 'system:'],
  ['claims.level > 2', ({ claims: { level } }) => (typeof level === 'number' ? level > 2 : null)],
  ["has(claims.team) && claims.team == 'a'", ({ claims: { team } }) => (team === undefined ? false : team === 'a')],
  [
    "claims.level > 2 || subject == 'dana'",
    ({ claims: { level }, subject }) => (subject === 'dana' ? true : typeof level === 'number' ? level > 2 : null),
  ],
  [
    "claims.level > 2 && issuer == 'corp'",
    ({ claims: { level }, issuer }) => (issuer === 'corp' ? (typeof level === 'number' ? level > 2 : null) : false),
  ],
  ["!(claims.team == 'b')", ({ claims: { team } }) => (team === undefined ? null : team !== 'b')],
]);

/** @param home the subject that most of a policy is about */
export function randomGrants(random: Random, home: string): GrantConfig[] {
  return Array.from({ length: random.below(14) }, (_, at) => randomGrant(random, `g${at}`, home));
}

function randomGrant(random: Random, name: string, home: string): GrantConfig {
  const { pick, chance, some, below } = random;
  const kind = pick([0, 0, 1, 2, 3, 3, 4]);
  const claims: Record<string, string | number | boolean> = {};
  if (kind === 2 || chance(10)) claims[pick(['team', 'groups', 'a.b', 'level'])] = pick(['a', 'b', 'dba', 3, true]);
  return {
    name,
    mode: chance(20) ? 'observe' : 'enforce',
    issuer: pick(['cluster', 'cluster', 'cluster', 'cluster', 'corp']),
    ...(kind === 0 ? { subject: chance(60) ? home : pick(SUBJECTS) } : {}),
    ...(kind === 1 ? { subjectGlob: pick(GLOBS) } : {}),
    ...(kind === 3 || kind === 4 ? { namespace: pick(['pay', 'web']) } : {}),
    ...(kind === 4 ? { serviceAccount: pick(['api', 'job-1']) } : {}),
    ...(Object.keys(claims).length > 0 ? { claims } : {}),
    ...(chance(12) ? { sourceCidrs: some(RANGES) } : {}),
    ...(chance(20) ? { when: pick([...MEANINGS.keys()]) } : {}),
    ...(chance(15) ? { notBefore: NOW + below(5) - 2 } : {}),
    ...(chance(15) ? { notAfter: NOW + below(5) - 1 } : {}),
    ...(chance(30)
      ? { deny: Array.from({ length: 1 + below(2) }, () => randomDeny(random)) }
      : { allow: Array.from({ length: 1 + below(3) }, () => randomAllow(random)) }),
  };
}

function randomAllow({ pick, some, chance }: Random): NonNullable<GrantConfig['allow']>[number] {
  const database = pick(Object.keys(DATABASES));
  const users = some(USERS);
  return {
    database,
    users,
    ...(users.some((user) => user.startsWith('{')) ? { userPrefixes: some(['dev_', 'ops_', 'ad', 'rds_']) } : {}),
    ...(chance(60) ? { endpoints: some(endpointsOf(database)) } : {}),
  };
}

function randomDeny({ pick, some, chance }: Random): NonNullable<GrantConfig['deny']>[number] {
  const database = pick(['*', ...Object.keys(DATABASES)]);
  return {
    database,
    ...(chance(60) ? { users: some(PLAIN_USERS) } : {}),
    ...(chance(30) ? { endpoints: some(database === '*' ? ENDPOINTS : endpointsOf(database)) } : {}),
  };
}

function endpointsOf(database: string): string[] {
  return Object.keys(DATABASES[database]?.endpoints ?? {});
}

export function randomCaller({ pick, chance }: Random, home: string): Caller {
  const subject = chance(70) ? home : pick(SUBJECTS);
  const [, , namespace, serviceAccount] = subject.split(':');
  const claims: Claims = {
    ...(chance(60) ? { groups: pick([['dba', 'x'], ['x'], 'dba', [], [['dba']]]) } : {}),
    ...(chance(60) ? { team: pick(['a', 'b', 3, true, null, ['a']]) } : {}),
    ...(chance(60) ? { level: pick([2, 3, 2.5, 'x', -1]) } : {}),
    ...(chance(40) ? { name: pick([...NAMES, 7, ['dev_dana']]) } : {}),
    ...(chance(30) ? { a: pick([{ b: 'a' }, { b: 'dev_dana' }, { b: ['a', 'dba'] }, 'a']) } : {}),
    ...(chance(20) ? { 'a.b': pick(['a', 'b', 'dev_dana']) } : {}),
  };
  return {
    issuer: pick(['cluster', 'cluster', 'cluster', 'cluster', 'cluster', 'corp', 'other']),
    subject,
    claims,
    workload:
      serviceAccount === undefined || namespace === undefined || chance(15) ? null : { namespace, serviceAccount },
    keptClaims: null,
    expiresAt: NOW + 1000,
  };
}

export function randomCircumstances({ pick, chance }: Random): Circumstances {
  return { now: NOW, clientAddress: chance(15) ? null : pick(ADDRESSES) };
}

/** Half of the time something that some grant is about: most of what could be asked for is granted to nobody. */
export function randomWanted({ pick, chance }: Random, grants: readonly GrantConfig[]): WantedIdentity {
  const allowed = grants.flatMap(({ allow }) => allow ?? []);
  const near = allowed.length > 0 && chance(60) ? pick(allowed) : undefined;
  const user = near === undefined ? pick([...USERS, 'dev_x']) : pick(near.users);
  return {
    ...(chance(70) ? { database: near?.database ?? pick([...Object.keys(DATABASES), 'nope']) } : {}),
    ...(chance(70) ? { user: user === '{claims.name}' ? 'dev_dana' : user } : {}),
    ...(chance(30) ? { endpoint: pick(near?.endpoints ?? ENDPOINTS) } : {}),
  };
}
