import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '../../src/issuance/caller.ts';
import { checkConfirmation } from '../../src/jwt/check-confirmation.ts';

/** RFC 8705, appendix A, figure 5. */
const RFC_THUMBPRINT = 'A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0';
/** RFC 8705, figure 2: the example of the claim is no SHA-256, because bits are set that no byte has room for. */
const RFC_SLIP = 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2';
const OTHER = createHash('sha256').update('another certificate').digest('base64url');
const OWN = createHash('sha256').update('a certificate').digest('base64url');

test('a token without cnf comes from anybody, with a certificate or without', () => {
  assert.equal(checkConfirmation({}, null), undefined);
  assert.equal(checkConfirmation({}, OWN), undefined);
});

test("a token bound to the client's certificate is its client's", () => {
  assert.equal(checkConfirmation({ cnf: { 'x5t#S256': OWN } }, OWN), undefined);
});

test('a bound token is refused without a certificate and with another one', () => {
  assert.equal(
    checkConfirmation({ cnf: { 'x5t#S256': OWN } }, null),
    'it is bound to a certificate, and the client sent none',
  );
  assert.equal(
    checkConfirmation({ cnf: { 'x5t#S256': OTHER } }, OWN),
    "it is bound to another certificate than the client's",
  );
});

const METHOD = /not one x5t#S256/;
const VALUE = /not a SHA-256 in base64url without padding/;
const hex = Buffer.from(OWN, 'base64url').toString('hex');
const jkt = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I';
const jwk = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' };

const REFUSED: readonly [what: string, cnf: JsonValue, says: RegExp][] = [
  ['null', null, METHOD],
  ['a text', OWN, METHOD],
  ['a list', [{ 'x5t#S256': OWN }], METHOD],
  ['an empty list', [], METHOD],
  ['true', true, METHOD],
  ['an empty map', {}, METHOD],
  ['a key of DPoP', { jkt }, METHOD],
  ['a jwk', { jwk }, METHOD],
  ['a jwe', { jwe: 'eyJ' }, METHOD],
  ['a kid', { kid: 'k1' }, METHOD],
  ['a jku', { jku: 'https://idp.example/keys', kid: 'k1' }, METHOD],
  ['the certificate and a key of DPoP', { 'x5t#S256': OWN, jkt }, METHOD],
  ['a key of DPoP and the certificate', { jkt, 'x5t#S256': OWN }, METHOD],
  ['the certificate and an unknown method', { 'x5t#S256': OWN, x: null }, METHOD],
  ['the SHA-1 of the certificate', { x5t: OWN }, METHOD],
  ['the method in small letters', { 'x5t#s256': OWN }, METHOD],
  ['the method in capitals', { 'X5T#S256': OWN }, METHOD],
  ['the method with a space', { 'x5t#S256 ': OWN }, METHOD],
  ['the method as a prototype', JSON.parse(`{"__proto__": {"x5t#S256": "${OWN}"}}`), METHOD],
  ['an empty thumbprint', { 'x5t#S256': '' }, VALUE],
  ['a thumbprint of null', { 'x5t#S256': null }, VALUE],
  ['a thumbprint that is a number', { 'x5t#S256': 1 }, VALUE],
  ['a thumbprint that is a list', { 'x5t#S256': [OWN] }, VALUE],
  ['a thumbprint that is a map', { 'x5t#S256': { value: OWN } }, VALUE],
  ['padding', { 'x5t#S256': `${OWN}=` }, VALUE],
  ['base64 with + and /', { 'x5t#S256': `${'+/'.repeat(21)}A` }, VALUE],
  ['hexadecimal', { 'x5t#S256': hex }, VALUE],
  ['hexadecimal in capitals', { 'x5t#S256': hex.toUpperCase() }, VALUE],
  ['hexadecimal with colons', { 'x5t#S256': hex.replaceAll(/(..)(?!$)/g, '$1:') }, VALUE],
  ['the base64url of hexadecimal', { 'x5t#S256': Buffer.from(hex).toString('base64url') }, VALUE],
  ['a character less', { 'x5t#S256': OWN.slice(0, -1) }, VALUE],
  ['a character more', { 'x5t#S256': `${OWN}A` }, VALUE],
  ['a space before', { 'x5t#S256': ` ${OWN}` }, VALUE],
  ['a line break behind', { 'x5t#S256': `${OWN}\n` }, VALUE],
  ['a NUL behind', { 'x5t#S256': `${OWN}\0` }, VALUE],
  ['spare bits that are set', { 'x5t#S256': RFC_SLIP }, VALUE],
  ['letters of the other case', { 'x5t#S256': swapCase(OWN) }, /another certificate|not a SHA-256/],
];
for (const [what, cnf, says] of REFUSED) {
  test(`a cnf with ${what} is refused, whoever the client is`, () => {
    for (const thumbprint of [OWN, null]) {
      const refused = checkConfirmation({ cnf }, thumbprint);
      assert.ok(refused !== undefined);
      if (thumbprint !== null) assert.match(refused, says);
    }
  });
}

test('no thumbprint but the own one passes', () => {
  const hashes = fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => Buffer.from(bytes).toString('base64url'));
  fc.assert(
    fc.property(hashes, hashes, (bound, own) => {
      assert.equal(checkConfirmation({ cnf: { 'x5t#S256': bound } }, own) === undefined, bound === own);
      assert.equal(checkConfirmation({ cnf: { 'x5t#S256': own } }, own), undefined);
    }),
  );
});

test('one character changed in a thumbprint refuses it', () => {
  for (const [at, character] of [...OWN].entries()) {
    const changed = `${OWN.slice(0, at)}${character === 'A' ? 'B' : 'A'}${OWN.slice(at + 1)}`;
    assert.ok(checkConfirmation({ cnf: { 'x5t#S256': changed } }, OWN) !== undefined);
  }
});

test("RFC 8705's thumbprint of a certificate is read", () => {
  assert.equal(checkConfirmation({ cnf: { 'x5t#S256': RFC_THUMBPRINT } }, RFC_THUMBPRINT), undefined);
});

function swapCase(text: string): string {
  return [...text].map((one) => (one === one.toLowerCase() ? one.toUpperCase() : one.toLowerCase())).join('');
}
