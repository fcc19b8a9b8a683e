import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkClaims } from '../../src/jwt/check-claims.ts';
import { checkHeader } from '../../src/jwt/check-header.ts';
import { CLAIMS, NOW } from '../support/test-issuer.ts';

const RULES = { audiences: ['vendor', 'old'], clockToleranceMs: 30_000 };
const check = (changes: object) => checkClaims({ ...CLAIMS, ...changes }, RULES, NOW);

test('the checked claims are the subject, and the end in milliseconds', () => {
  assert.deepEqual(check({}), { subject: CLAIMS.sub, expiresAt: CLAIMS.exp * 1000 });
  assert.deepEqual(check({ aud: ['x', 'old'] }), { subject: CLAIMS.sub, expiresAt: CLAIMS.exp * 1000 });
  const { iat: _iat, nbf: _nbf, ...least } = CLAIMS;
  assert.deepEqual(checkClaims(least, RULES, NOW), { subject: CLAIMS.sub, expiresAt: CLAIMS.exp * 1000 });
  assert.deepEqual(check({ sub: 'a'.repeat(1024) }), { subject: 'a'.repeat(1024), expiresAt: CLAIMS.exp * 1000 });
});

for (const name of ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'cnf']) {
  test(`a claim ${name} in other letters is refused`, () => {
    for (const odd of [name.toUpperCase(), name.charAt(0).toUpperCase() + name.slice(1)]) {
      assert.equal(check({ [odd]: 'x' }), `the claim ${name} is there in other letters too`);
    }
  });
}

test('claims of other names may have any letters', () => {
  assert.ok(typeof check({ Groups: [], EMAIL: 'a' }) === 'object');
});

const REFUSED: readonly [what: string, changes: object, why: string][] = [
  ['a sub that is missing', { sub: undefined }, 'the sub is not a non-empty string'],
  ['a sub of 1,025 characters', { sub: 'a'.repeat(1025) }, 'the sub is not plain text'],
  ['a sub with half a pair', { sub: 'a\ud800' }, 'the sub is not plain text'],
  ['a sub with a control character', { sub: 'a\u0085' }, 'the sub is not plain text'],
  ['an exp in text', { exp: `${CLAIMS.exp}` }, 'the exp is missing or not a number'],
  ['an exp without end', { exp: Number.POSITIVE_INFINITY }, 'the exp is missing or not a number'],
  ['an nbf in text', { nbf: '1' }, 'the nbf is not a number'],
  ['an iat that is null', { iat: null }, 'the iat is not a number'],
  ['an nbf without end', { nbf: Number.NEGATIVE_INFINITY }, 'the nbf is not a number'],
  ['an aud with a number', { aud: ['vendor', 7] }, 'the aud is not a string or a list of strings'],
];
for (const [what, changes, why] of REFUSED) {
  test(`${what} is refused`, () => assert.equal(check(changes), why));
}

const TYPES: readonly [typ: unknown, isAccepted: boolean][] = [
  [undefined, true],
  ['JWT', true],
  ['jwt', true],
  ['at+jwt', true],
  ['application/jwt', true],
  ['application/AT+JWT', true],
  ['logout+jwt', false],
  ['', false],
  [7, false],
  [['JWT'], false],
  [null, false],
];
for (const [typ, isAccepted] of TYPES) {
  test(`a typ of ${JSON.stringify(typ)} is ${isAccepted ? 'accepted' : 'refused'}`, () => {
    const header = { alg: 'RS256', ...(typ === undefined ? {} : { typ: JSON.parse(JSON.stringify(typ)) }) };
    const found = checkHeader(header);
    if (isAccepted) assert.deepEqual(found, { algorithm: 'RS256', kid: undefined });
    else assert.equal(found, 'the typ is not JWT or at+jwt');
  });
}
