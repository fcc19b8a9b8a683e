import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { createKeyRing } from '../../src/jwt/key-ring.ts';
import { ec, rsa } from '../support/test-issuer.ts';

const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
type Pair = { readonly publicKey: KeyObject };
const key = (kid: string | undefined, { publicKey }: Pair = rsa, algorithm?: string) => ({
  kid,
  algorithm,
  key: publicKey,
});

test('a kid chooses its key, if that fits the algorithm and is not for another one only', () => {
  const ring = createKeyRing([key('a'), key('b', ec), key('c', rsa, 'RS256')]);
  const kidFor = (kid: string, algorithm: string) => ring.choose(kid, algorithm)?.kid;
  assert.deepEqual(
    [kidFor('a', 'RS256'), kidFor('a', 'PS256'), kidFor('a', 'ES256'), kidFor('b', 'ES256'), kidFor('d', 'RS256')],
    ['a', 'a', undefined, 'b', undefined],
  );
  assert.deepEqual([kidFor('c', 'RS256'), kidFor('c', 'RS512'), kidFor('c', 'PS256')], ['c', undefined, undefined]);
  assert.equal(ring.size, 3);
});

test('without a kid a key is used only where a single one fits', () => {
  const ring = createKeyRing([key('a'), key('b', ec), key(undefined, other)]);
  assert.equal(ring.choose(undefined, 'ES256')?.kid, 'b');
  assert.equal(ring.choose(undefined, 'RS256'), undefined);
  assert.equal(ring.choose(undefined, 'EdDSA'), undefined);
  assert.equal(createKeyRing([key('a'), key('c', other, 'RS512')]).choose(undefined, 'RS256')?.kid, 'a');
});
