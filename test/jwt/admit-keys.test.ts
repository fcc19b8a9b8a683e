import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { admitKeys } from '../../src/jwt/admit-keys.ts';
import { keyFitsAlgorithm } from '../../src/jwt/algorithms.ts';
import { ec, ed, jwkOf, rsa } from '../support/test-issuer.ts';

const good = jwkOf(rsa, { kid: 'good' });
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
const threes = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 });

function exponent(value: bigint): string {
  return Buffer.from(value.toString(16).padStart(8, '0'), 'hex').toString('base64url');
}

/** A number of so many bits. */
function modulus(bits: number): string {
  const hex = (2n ** BigInt(bits) - 1n).toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
}

const LEFT_OUT: readonly [what: string, jwk: unknown, why: RegExp][] = [
  ['RSA of 1024 bits', jwkOf(weak, { kid: 'x' }), /RSA of 1024 bits/],
  ['RSA with the exponent 3', jwkOf(threes, { kid: 'x' }), /public exponent 3/],
  ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0', kid: 'x' }, /not an RSA, EC or OKP key/],
  ['a private key', { ...rsa.privateKey.export({ format: 'jwk' }), kid: 'x' }, /private members/],
  ['an EC key with its private part', { ...ec.privateKey.export({ format: 'jwk' }), kid: 'x' }, /private members/],
  ['a key for encryption', { ...jwkOf(rsa, { kid: 'x' }), use: 'enc' }, /use/],
  ['a key that may only sign', { ...jwkOf(rsa, { kid: 'x' }), key_ops: ['sign'] }, /key_ops/],
  ['RSA with an even exponent', { ...jwkOf(rsa, { kid: 'x' }), e: exponent(65_538n) }, /exponent that is even/],
  ['RSA with an exponent over 31 bits', { ...jwkOf(rsa, { kid: 'x' }), e: exponent(2n ** 31n + 1n) }, /over 2\^31-1/],
  ['RSA with an exponent under 65537', { ...jwkOf(rsa, { kid: 'x' }), e: exponent(65_535n) }, /exponent 65535/],
  ['RSA of 2047 bits', { ...jwkOf(rsa, { kid: 'x' }), n: modulus(2047) }, /RSA of 2047 bits/],
  ['RSA of 16385 bits', { ...jwkOf(rsa, { kid: 'x' }), n: modulus(16_385) }, /RSA of 16385 bits/],
  ['an unknown curve', { kty: 'EC', crv: 'P-192', x: 'AA', y: 'AA', kid: 'x' }, /another curve than/],
  ['secp256k1', jwkOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }), { kid: 'x' }), /another curve than/],
  ['Ed448', jwkOf(generateKeyPairSync('ed448'), { kid: 'x' }), /another curve than/],
  ['X25519', jwkOf(generateKeyPairSync('x25519'), { kid: 'x' }), /another curve than/],
  ['a curve of another kind of key', { ...jwkOf(ec, { kid: 'x' }), crv: 'Ed25519' }, /not a valid public key/],
  ['a curve that is no text', { ...jwkOf(ec, { kid: 'x' }), crv: ['P-256'] }, /another curve than/],
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
  ['a key with a member twice', `{"keys":[{"kid":"x",${JSON.stringify(good).slice(1)}]}`],
  ['101 keys, good or not', JSON.stringify({ keys: [good, ...Array.from({ length: 100 }, () => 'key')] })],
  ['the same kid twice', JSON.stringify({ keys: [good, jwkOf(ed, { kid: 'good' })] })],
];
for (const [what, text] of UNUSABLE) {
  test(`a set with ${what} is refused as a whole`, () => {
    assert.throws(() => admitKeys(text));
  });
}

const ADMITTED: readonly [what: string, jwk: unknown, algorithm: string][] = [
  ['P-256', jwkOf(ec, {}), 'ES256'],
  ['P-384', jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }), {}), 'ES384'],
  ['P-521', jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-521' }), {}), 'ES512'],
  ['Ed25519', jwkOf(ed, {}), 'EdDSA'],
  ['RSA of 2048 bits', jwkOf(rsa, {}), 'PS256'],
  ['RSA of 16384 bits', { ...jwkOf(rsa, {}), n: modulus(16_384) }, 'RS256'],
  ['RSA with the exponent 2^31-1', { ...jwkOf(rsa, {}), e: exponent(2n ** 31n - 1n) }, 'RS256'],
];
for (const [what, jwk, algorithm] of ADMITTED) {
  test(`a key of ${what} is admitted`, () => {
    const { keys, rejected } = admitKeys(JSON.stringify({ keys: [jwk] }));
    assert.deepEqual(rejected, []);
    assert.ok(keys[0] && keyFitsAlgorithm(keys[0].key, algorithm));
  });
}

test('a hundred keys are admitted', () => {
  const all = Array.from({ length: 100 }, (_, index) => jwkOf(ed, { kid: `${index}` }));
  assert.equal(admitKeys(JSON.stringify({ keys: all })).keys.length, 100);
});

test('a kid may be that of a key that is left out: an encryption key beside the signing key', () => {
  const text = JSON.stringify({ keys: [{ ...jwkOf(ec, { kid: 'good' }), use: 'enc' }, good] });
  assert.deepEqual(
    admitKeys(text).keys.map(({ kid, key }) => [kid, key.asymmetricKeyType]),
    [['good', 'rsa']],
  );
});

test('the hash is of the keys: order, form and what is left out do not change it, a key, kid or alg does', () => {
  const hashOf = (...keys: unknown[]) => admitKeys(JSON.stringify({ keys })).hash;
  const other = jwkOf(ec, { kid: 'other' });
  assert.match(hashOf(good), /^[0-9a-f]{64}$/);
  assert.equal(hashOf(good, other), hashOf({ ...other, x5t: 'x' }, 'junk', good));
  const changed = [hashOf(good), hashOf(other), hashOf({ ...good, kid: 'x' }), hashOf({ ...good, alg: 'RS256' })];
  assert.equal(new Set([hashOf(good, other), ...changed]).size, 5);
});

for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) {
  test(`a key that publishes its ${member} is left out`, () => {
    const { rejected } = admitKeys(JSON.stringify({ keys: [good, { ...jwkOf(rsa, { kid: 'x' }), [member]: 'AA' }] }));
    assert.deepEqual(rejected, ['key 2: holds private members']);
  });
}

test('key_ops may name verify among others, and an alg that is no text leaves a key out', () => {
  const operations = { ...jwkOf(rsa, { kid: 'x' }), key_ops: ['sign', 'verify'] };
  assert.deepEqual(admitKeys(JSON.stringify({ keys: [operations] })).rejected, []);
  for (const odd of [{ key_ops: 'verify' }, { key_ops: [] }]) {
    const { rejected } = admitKeys(JSON.stringify({ keys: [good, { ...operations, ...odd }] }));
    assert.deepEqual(rejected, ['key 2: not for verifying (key_ops)']);
  }
  const { rejected } = admitKeys(JSON.stringify({ keys: [{ ...good, kid: 'x', alg: 256 }, good, null] }));
  assert.deepEqual(rejected, ['key 1: its alg is not a string', 'key 3: not an object']);
});

test('keys without a kid may be several', () => {
  assert.equal(admitKeys(JSON.stringify({ keys: [jwkOf(rsa, {}), jwkOf(ed, {})] })).keys.length, 2);
});

test('a set that is refused says why', () => {
  const whys = [
    ['{"keys":[', /^the JWK set is not valid JSON/],
    ['{"keys":[1,2]}', /^the JWK set has no key that may verify; key 1: not an object; key 2: not an object$/],
    [JSON.stringify({ keys: [good, good] }), /^the JWK set has the same kid twice$/],
    [JSON.stringify({ keys: Array.from({ length: 101 }, () => 1) }), /^the JWK set has 101 keys, over 100$/],
    ['{"keys":null}', /^the JWK set has no list of keys$/],
    ['null', /^the JWK set has no list of keys$/],
  ] as const;
  for (const [text, why] of whys) {
    assert.throws(
      () => admitKeys(text),
      (error) => error instanceof Error && why.test(error.message),
      text,
    );
  }
  const { cause } = (() => {
    try {
      return admitKeys('{') && new Error('admitted');
    } catch (error) {
      return error instanceof Error ? error : new Error('no error');
    }
  })();
  assert.ok(cause instanceof Error);
});

test('an algorithm fits the one kind of key that it uses', () => {
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const fits = (pair: { readonly publicKey: typeof rsa.publicKey }) =>
    ['RS256', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'HS256'].filter((algorithm) =>
      keyFitsAlgorithm(pair.publicKey, algorithm),
    );
  assert.deepEqual([rsa, ec, p384, ed].map(fits), [['RS256', 'PS512'], ['ES256'], ['ES384'], ['EdDSA', 'Ed25519']]);
});
