import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { AUDIENCE, CALLERS, openIssuer, type SandboxIssuer } from '../../demo/issuer.ts';

let issuer: SandboxIssuer;
before(async () => {
  issuer = await openIssuer(0);
});
after(() => issuer.close());

/** Verifies as a relying party that has cached nothing. */
async function verify(jwt: string) {
  const discovered: unknown = await (await fetch(`${issuer.url}/.well-known/openid-configuration`)).json();
  assert.deepEqual(discovered, { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` });
  const keys = createRemoteJWKSet(new URL(`${issuer.url}/keys`));
  return jwtVerify(jwt, keys, { issuer: issuer.url, audience: AUDIENCE, algorithms: ['RS256'] });
}

for (const [caller, claims] of Object.entries(CALLERS)) {
  test(`a fresh JWT of the ${caller} is had by GET, verifies by discovery and lives an hour`, async () => {
    const response = await fetch(`${issuer.url}/demo/token?caller=${caller}`);
    const { payload } = await verify(await response.text());
    assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 3600);
    assert.deepEqual({ ...payload, ...claims }, payload);
  });
}

test('after a rotation a new key signs, and JWTs of the earlier one still verify', async () => {
  const earlier = await issuer.mint('app');
  const rotated = await fetch(`${issuer.url}/demo/rotate`, { method: 'POST' });
  assert.equal(rotated.status, 200);
  const later = await issuer.mint('app');
  assert.notEqual(decodeProtectedHeader(later).kid, decodeProtectedHeader(earlier).kid);
  await Promise.all([verify(earlier), verify(later)]);
});

test('the key set holds public keys only', async () => {
  const text = await (await fetch(`${issuer.url}/keys`)).text();
  const set: { keys: Record<string, unknown>[] } = JSON.parse(text);
  for (const key of set.keys) assert.deepEqual(Object.keys(key).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use']);
});

for (const target of ['/demo/token', '/demo/token?caller=nobody', '/demo/token?caller=toString', '/demo/rotate', '/']) {
  test(`GET ${target} is a 404`, async () => {
    assert.equal((await fetch(`${issuer.url}${target}`)).status, 404);
  });
}
