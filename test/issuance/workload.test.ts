import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Claims, JsonValue } from '../../src/issuance/caller.ts';
import { compileCallerConditions, verdictOf } from '../../src/issuance/caller-conditions.ts';
import { workloadOf } from '../../src/issuance/workload.ts';

/** The claims of a projected token, as Kubernetes' documentation shows them. */
const BOUND: { readonly [name: string]: JsonValue } = {
  namespace: 'payments',
  node: { name: '127.0.0.1', uid: '58456cb0-dd00-45ed-b797-5578fdceaced' },
  pod: { name: 'api-69cbfb9798-jv9gn', uid: '778a530c-b3f4-47c0-9cd5-ab018fb64f33' },
  serviceaccount: { name: 'api', uid: 'a087d5a0-e1dd-43ec-93ac-f13d89cd13af' },
  warnafter: 1700081020,
};
const TOKEN: Claims = { sub: 'system:serviceaccount:payments:api', 'kubernetes.io': { ...BOUND } };
const changed = (changes: { readonly [name: string]: JsonValue }): Claims => ({ ...TOKEN, ...changes });
const bound = (changes: { readonly [name: string]: JsonValue }): Claims =>
  changed({ 'kubernetes.io': { ...BOUND, ...changes } });
const API = { namespace: 'payments', serviceAccount: 'api' };

test('a token of a pod is that of its service account', () => {
  assert.deepEqual(workloadOf(TOKEN), API);
});

const LONG: readonly [namespace: string, account: string][] = [
  ['n'.repeat(63), 'a'.repeat(253)],
  ['n', 'a'],
  ['n-1', 'a.b-c'],
];
for (const [namespace, name] of LONG) {
  test(`a namespace of ${namespace.length} and an account of ${name.length} characters are read`, () => {
    const claims = {
      sub: `system:serviceaccount:${namespace}:${name}`,
      'kubernetes.io': { namespace, serviceaccount: { name } },
    };
    assert.deepEqual(workloadOf(claims), { namespace, serviceAccount: name });
  });
}

const { namespace = null, serviceaccount = null, node = null } = BOUND;
const GOOD: readonly [what: string, claims: Claims][] = [
  ['bound to no object, as kubectl create token makes it', changed({ 'kubernetes.io': { namespace, serviceaccount } })],
  ['bound to a node', changed({ 'kubernetes.io': { namespace, serviceaccount, node } })],
  ['bound to a secret', changed({ 'kubernetes.io': { namespace, serviceaccount, secret: { name: 's', uid: 'u' } } })],
];
for (const [what, claims] of GOOD) {
  test(`a token ${what} is that of its service account`, () => {
    assert.deepEqual(workloadOf(claims), API);
  });
}

test('names may be as long as Kubernetes allows, and account names may have dots', () => {
  const [long, account] = ['n'.repeat(63), `${'a.'.repeat(126)}a`];
  const claims = {
    sub: `system:serviceaccount:${long}:${account}`,
    'kubernetes.io': { namespace: long, serviceaccount: { name: account } },
  };
  assert.deepEqual(workloadOf(claims), { namespace: long, serviceAccount: account });
});

/** The tokens that live in secrets (type kubernetes.io/service-account-token): no aud, no exp, other claims. */
const LEGACY: Claims = {
  iss: 'kubernetes/serviceaccount',
  sub: 'system:serviceaccount:payments:api',
  'kubernetes.io/serviceaccount/namespace': 'payments',
  'kubernetes.io/serviceaccount/secret.name': 'api-token-x7k2p',
  'kubernetes.io/serviceaccount/service-account.name': 'api',
  'kubernetes.io/serviceaccount/service-account.uid': 'a087d5a0-e1dd-43ec-93ac-f13d89cd13af',
};

const SUB = /the sub is not that of a service account/;
const NONE = /it has no kubernetes.io claims/;
const NAMESPACE = /its kubernetes.io.namespace is not that of the sub/;
const ACCOUNT = /its kubernetes.io.serviceaccount is not that of the sub/;

const HOSTILE: readonly [what: string, claims: Claims, why: RegExp][] = [
  ['from a secret, as of old', LEGACY, NONE],
  ['from a secret with an aud and an exp added', { ...LEGACY, aud: 'vendor', exp: 2_000_000_000 }, NONE],
  ['without kubernetes.io', { sub: TOKEN['sub'] ?? null }, NONE],
  [
    'with flat claims instead',
    { sub: TOKEN['sub'] ?? null, 'kubernetes.io.namespace': 'payments', 'kubernetes.io.serviceaccount.name': 'api' },
    NONE,
  ],
  [
    'with nested names instead of the dotted one',
    { sub: TOKEN['sub'] ?? null, kubernetes: { io: { ...BOUND } } },
    NONE,
  ],
  ['with Kubernetes.io in other letters', { sub: TOKEN['sub'] ?? null, 'Kubernetes.io': { ...BOUND } }, NONE],
  ['with kubernetes.io as a text', changed({ 'kubernetes.io': JSON.stringify(BOUND) }), NONE],
  ['with kubernetes.io as a list', changed({ 'kubernetes.io': [{ ...BOUND }] }), NONE],
  ['with kubernetes.io null', changed({ 'kubernetes.io': null }), NONE],
  ['with an empty kubernetes.io', changed({ 'kubernetes.io': {} }), NAMESPACE],
  ['of one namespace with the sub of another', bound({ namespace: 'staging' }), NAMESPACE],
  ['whose sub is of another namespace', changed({ sub: 'system:serviceaccount:staging:api' }), NAMESPACE],
  ['with a namespace in other letters', bound({ namespace: 'Payments' }), NAMESPACE],
  ['with a namespace that is a list', bound({ namespace: ['payments'] }), NAMESPACE],
  [
    'with Namespace in other letters',
    changed({ 'kubernetes.io': { Namespace: 'payments', serviceaccount } }),
    NAMESPACE,
  ],
  ['of one account with the sub of another', bound({ serviceaccount: { name: 'admin', uid: 'u' } }), ACCOUNT],
  ['whose sub is of another account', changed({ sub: 'system:serviceaccount:payments:admin' }), ACCOUNT],
  ['with serviceaccount as a text', bound({ serviceaccount: 'api' }), ACCOUNT],
  ['with serviceaccount as a list', bound({ serviceaccount: [{ name: 'api' }] }), ACCOUNT],
  ['with serviceaccount null', bound({ serviceaccount: null }), ACCOUNT],
  [
    'with serviceAccount in other letters',
    changed({ 'kubernetes.io': { namespace, serviceAccount: { name: 'api' } } }),
    ACCOUNT,
  ],
  [
    'with a name inherited from __proto__',
    changed({ 'kubernetes.io': JSON.parse('{"namespace":"payments","serviceaccount":{"__proto__":{"name":"api"}}}') }),
    ACCOUNT,
  ],
  ['whose sub has a part more', changed({ sub: 'system:serviceaccount:payments:api:x' }), SUB],
  ['whose sub has a part less', changed({ sub: 'system:serviceaccount:payments' }), SUB],
  ['whose sub has an empty namespace', changed({ sub: 'system:serviceaccount::api' }), SUB],
  ['whose sub has an empty account', changed({ sub: 'system:serviceaccount:payments:' }), SUB],
  ['whose sub is in upper case', changed({ sub: 'SYSTEM:SERVICEACCOUNT:payments:api' }), SUB],
  ['whose sub names the namespace in upper case', changed({ sub: 'system:serviceaccount:PAYMENTS:api' }), SUB],
  ['whose sub has a slash', changed({ sub: 'system:serviceaccount:payments/x:api' }), SUB],
  ['whose sub has a dot in the namespace', changed({ sub: 'system:serviceaccount:pay.ments:api' }), SUB],
  ['whose sub has a star', changed({ sub: 'system:serviceaccount:payments:*' }), SUB],
  ['whose sub begins with something else', changed({ sub: 'x-system:serviceaccount:payments:api' }), SUB],
  ['whose sub begins with a line', changed({ sub: 'x\nsystem:serviceaccount:payments:api' }), SUB],
  ['whose account begins with a dash', changed({ sub: 'system:serviceaccount:payments:-api' }), SUB],
  ['whose account ends with a dot', changed({ sub: 'system:serviceaccount:payments:api.' }), SUB],
  ['whose namespace ends with a dash', changed({ sub: 'system:serviceaccount:payments-:api' }), SUB],
  ['whose account has 254 characters', changed({ sub: `system:serviceaccount:payments:${'a'.repeat(254)}` }), SUB],
  ['whose sub ends with a line break', changed({ sub: 'system:serviceaccount:payments:api\n' }), SUB],
  ['whose sub has a namespace of 64 characters', changed({ sub: `system:serviceaccount:${'n'.repeat(64)}:api` }), SUB],
  ['of a node', changed({ sub: 'system:node:api' }), SUB],
  ['whose sub is a list', changed({ sub: ['system:serviceaccount:payments:api'] }), SUB],
  ['without sub', { 'kubernetes.io': { ...BOUND } }, SUB],
];
for (const [what, claims, why] of HOSTILE) {
  test(`a token ${what} is none of a service account`, () => {
    const found = workloadOf(claims);
    assert.ok(typeof found === 'string', JSON.stringify(found));
    assert.match(found, why);
  });
}

test('a flat claim beside the nested one changes nothing of namespace:, and makes the same path in claims: ambiguous', () => {
  const claims = changed({ 'kubernetes.io.namespace': 'staging' });
  const workload = workloadOf(claims);
  assert.ok(typeof workload === 'object');
  const caller = {
    issuer: 'cluster',
    subject: 'system:serviceaccount:payments:api',
    claims,
    workload,
    keptClaims: null,
    expiresAt: 0,
  };
  const verdict = (conditions: { readonly namespace?: string; readonly claims?: Readonly<Record<string, string>> }) =>
    verdictOf(compileCallerConditions({ issuer: 'cluster', ...conditions }, 'test'), caller, {
      now: 0,
      clientAddress: null,
    });
  assert.equal(verdict({ namespace: 'payments' }), 'holds');
  assert.equal(verdict({ namespace: 'staging' }), 'fails');
  for (const namespace of ['payments', 'staging']) {
    assert.equal(verdict({ claims: { 'kubernetes.io.namespace': namespace } }), 'undecidable');
  }
});
