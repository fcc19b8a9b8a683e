import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { admitKeys } from '../../src/jwt/admit-keys.ts';
import { ec, ed, jwkOf, rsa } from '../support/test-issuer.ts';

const good = jwkOf(rsa, { kid: 'good' });
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
const threes = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 });

const LEFT_OUT: readonly [what: string, jwk: unknown, why: RegExp][] = [
  ['RSA of 1024 bits', jwkOf(weak, { kid: 'x' }), /RSA of 1024 bits/],
  ['RSA with the exponent 3', jwkOf(threes, { kid: 'x' }), /public exponent 3/],
  ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0', kid: 'x' }, /not an RSA, EC or OKP key/],
  ['a private key', { ...rsa.privateKey.export({ format: 'jwk' }), kid: 'x' }, /private members/],
  ['an EC key with its private part', { ...ec.privateKey.export({ format: 'jwk' }), kid: 'x' }, /private members/],
  ['a key for encryption', { ...jwkOf(rsa, { kid: 'x' }), use: 'enc' }, /use/],
  ['a key that may only sign', { ...jwkOf(rsa, { kid: 'x' }), key_ops: ['sign'] }, /key_ops/],
  ['an unknown curve', { kty: 'EC', crv: 'P-192', x: 'AA', y: 'AA', kid: 'x' }, /not a valid public key/],
  ['a point that is not on the curve', { ...jwkOf(ec, { kid: 'x' }), x: jwkOf(ec, {})['y'] }, /not a valid public key/],
  ['a kid that is a number', { ...jwkOf(rsa, {}), kid: 7 }, /its kid is not a string/],
  ['something that is no object', 'key', /not an object/],
];
for (const [what, jwk, why] of LEFT_OUT) {
  test(`${what} is left out, the good key beside it is used, and alone it makes the set unusable`, () => {
    const { keys, rejected } = admitKeys(JSON.stringify({ keys: [jwk, good] }));
    assert.deepEqual(
      keys.map(({ kid }) => kid),
      ['good'],
    );
    assert.match(rejected[0] ?? '', why);
    assert.throws(() => admitKeys(JSON.stringify({ keys: [jwk] })), why);
  });
}

const UNUSABLE: readonly [what: string, text: string][] = [
  ['no JSON', '<html>'],
  ['a list', '[]'],
  ['no keys', '{}'],
  ['keys that are no list', '{"keys":{}}'],
  ['an empty list', '{"keys":[]}'],
  ['keys twice', `{"keys":[${JSON.stringify(good)}],"keys":[]}`],
  ['the same kid twice', JSON.stringify({ keys: [good, jwkOf(ed, { kid: 'good' })] })],
];
for (const [what, text] of UNUSABLE) {
  test(`a set with ${what} is refused as a whole`, () => {
    assert.throws(() => admitKeys(text));
  });
}
