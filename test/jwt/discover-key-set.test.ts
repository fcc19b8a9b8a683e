import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discoverKeySetUrl, isLoopbackHttp } from '../../src/jwt/discover-key-set.ts';

const ISSUER = 'https://idp.example/tenant';
const AT = `${ISSUER}/.well-known/openid-configuration`;

function discover(document: unknown, issuer = ISSUER): Promise<string> {
  const asked: string[] = [];
  const found = discoverKeySetUrl(issuer, (url) => {
    asked.push(url);
    return Promise.resolve(typeof document === 'string' ? document : JSON.stringify(document));
  });
  assert.deepEqual(asked, [`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`]);
  return found;
}

const GOOD: readonly [what: string, issuer: string, address: string][] = [
  ['of the issuer', ISSUER, `${ISSUER}/keys`],
  ['elsewhere', ISSUER, 'https://keys.example:8443/a?b=c'],
  ['of 2,048 characters', ISSUER, `https://idp.example/${'k'.repeat(2028)}`],
  ['of an issuer with a slash at its end', `${ISSUER}/`, `${ISSUER}/keys`],
  ['of a loopback issuer', 'http://localhost:8080', 'http://127.0.0.1:9090/keys'],
  ['over https, of a loopback issuer', 'http://127.1.2.3', 'https://idp.example/keys'],
];
for (const [what, issuer, address] of GOOD) {
  test(`a key set address ${what} is accepted`, async () => {
    assert.equal(await discover({ issuer, jwks_uri: address }, issuer), address);
  });
}

const BAD: readonly [what: string, document: unknown, why: string][] = [
  ['no JSON', '<html>', `${AT} is no JSON document: not valid JSON`],
  ['a member twice', '{"issuer":"a","issuer":"b"}', `${AT} is no JSON document: `],
  ['a list', [], `${AT} is the configuration of another issuer`],
  ['null', 'null', `${AT} is the configuration of another issuer`],
  ['a text', '"x"', `${AT} is the configuration of another issuer`],
  ['another issuer', { issuer: `${ISSUER}x`, jwks_uri: `${ISSUER}/k` }, `${AT} is the configuration of another issuer`],
  ['no address', { issuer: ISSUER }, `${AT} names no jwks_uri`],
  ['an address that is a list', { issuer: ISSUER, jwks_uri: [`${ISSUER}/k`] }, `${AT} names no jwks_uri`],
  ['an address that is none', { issuer: ISSUER, jwks_uri: 'keys' }, `${AT} names no jwks_uri`],
  [
    'an address of 2,049 characters',
    { issuer: ISSUER, jwks_uri: `https://idp.example/${'k'.repeat(2029)}` },
    `${AT} names no jwks_uri`,
  ],
  [
    'a user in the address',
    { issuer: ISSUER, jwks_uri: 'https://user@idp.example/k' },
    `${AT} names a jwks_uri with user information`,
  ],
  [
    'a password in the address',
    { issuer: ISSUER, jwks_uri: 'https://:pass@idp.example/k' },
    `${AT} names a jwks_uri with user information`,
  ],
  ['plain http', { issuer: ISSUER, jwks_uri: 'http://idp.example/k' }, `${AT} names a jwks_uri that is not https`],
  [
    'plain http on this machine, of an issuer elsewhere',
    { issuer: ISSUER, jwks_uri: 'http://127.0.0.1/k' },
    `${AT} names a jwks_uri that is not https`,
  ],
];
for (const [what, document, why] of BAD) {
  test(`a discovery document with ${what} is refused`, async () => {
    await assert.rejects(discover(document), (error) => error instanceof Error && error.message.startsWith(why));
  });
}

const LOOPBACK: readonly [url: string, isLoopback: boolean][] = [
  ['http://localhost', true],
  ['http://localhost:8080/a', true],
  ['http://127.0.0.1', true],
  ['http://127.100.200.30:1', true],
  ['http://[::1]:8080', true],
  ['https://localhost', false],
  ['http://localhost.example', false],
  ['http://127.0.0.1.example', false],
  ['http://127.example', false],
  ['http://128.0.0.1', false],
  ['http://10.0.0.127', false],
  ['http://[::2]', false],
];
for (const [url, isLoopback] of LOOPBACK) {
  test(`${url} ${isLoopback ? 'leaves no machine' : 'is not loopback http'}`, () => {
    assert.equal(isLoopbackHttp(url), isLoopback);
  });
}
