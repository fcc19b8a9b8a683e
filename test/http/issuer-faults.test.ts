import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { ENDLESS, type IdpFault, SLOW, WRONG_DISCOVERY, WRONG_KEYS } from '../support/idp-faults.ts';
import { openIdp, type Place } from '../support/loopback-idp.ts';
import { type RunningService, startService } from '../support/running-service.ts';
import { ec, jwkOf, rsa, signed } from '../support/test-issuer.ts';

const FAULTS: readonly (readonly [place: Place, fault: IdpFault])[] = [
  ...[...SLOW, ...ENDLESS, ...WRONG_KEYS].map((fault) => ['keys', fault] as const),
  ...WRONG_DISCOVERY.map((fault) => ['discovery', fault] as const),
];
const ROTATED = JSON.stringify({ keys: [jwkOf(rsa, { kid: 'rsa' }), jwkOf(ec, { kid: 'new' })] });

/** A fresh JWT of an issuer, signed with its old key or with a new one. */
function jwt(issuer: string, kid: 'rsa' | 'new'): string {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: 'vendor', sub: 'somebody', iat, exp: iat + 600 };
  return kid === 'rsa' ? signed({ alg: 'RS256', kid }, claims) : signed({ alg: 'ES256', kid }, claims, ec.privateKey);
}

async function statusOf(service: RunningService, token: string): Promise<number> {
  const response = await service.ask('/v1/whoami', { headers: { authorization: `Bearer ${token}` } });
  await response.arrayBuffer();
  if (response.status === 503) assert.match(response.headers.get('retry-after') ?? '', /^[1-9][0-9]?$/);
  return response.status;
}

async function readyz(
  service: RunningService,
): Promise<{ status: string; checks: { issuers: Record<string, string> } }> {
  return JSON.parse(await (await fetch(new URL('/readyz', service.adminUrl))).text());
}

test('whatever an issuer answers instead of keys, its last good keys serve, /readyz names it, and it recovers by itself', async (t) => {
  const elsewhere = await openIdp();
  const idp = await openIdp({ elsewhere: `${elsewhere.origin}/elsewhere/keys` });
  t.after(() => Promise.all([idp.close(), elsewhere.close()]));
  const names = FAULTS.map((_, index) => `idp-${index}`);
  const entries = names.map((name) => `  - { name: ${name}, issuer: "${idp.issuer(name)}", audiences: [vendor] }\n`);
  const service = await startService(t, {
    config: (text) => text.replace('databases:\n', `${entries.join('')}databases:\n`),
  });
  await eventually(async () => {
    const { checks } = await readyz(service);
    assert.deepEqual(new Set(Object.values(checks.issuers)), new Set(['ok']));
  });

  FAULTS.forEach(([place, fault], index) => idp.breakAt(names[index] ?? '', place, fault));
  // Discovery is read by scheduled loads only; a key set's address that fails brings one about, after a second.
  const unreadable: IdpFault = { what: '', answer: (response) => response.writeHead(500).end(), why: /500/ };
  FAULTS.forEach(([place], index) => place === 'discovery' && idp.breakAt(names[index] ?? '', 'keys', unreadable));
  const asked = names.map((name) => statusOf(service, jwt(idp.issuer(name), 'new')));
  const statuses = await Promise.all(asked);
  let said: Awaited<ReturnType<typeof readyz>> | undefined;
  await eventually(async () => {
    said = await readyz(service);
    const seen = Object.values(said.checks.issuers);
    assert.equal(seen.filter((text) => text.endsWith('keys answered 500')).length, 1);
  });
  for (const [index, [place, { what, why }]] of FAULTS.entries()) {
    const name = names[index] ?? '';
    await t.test(`at the address of its ${place}, an issuer ${what}`, async () => {
      assert.equal(statuses[index], 503, 'an unknown kid may be its new key');
      assert.equal(await statusOf(service, jwt(idp.issuer(name), 'rsa')), 200, 'the last good set serves');
      const text = said?.checks.issuers[name] ?? '';
      assert.match(text, /^ok, with earlier keys: http:\/\/localhost|^ok, with earlier keys: the JWK set /);
      assert.match(text, why);
    });
  }
  assert.equal(said?.status, 'ready');
  assert.deepEqual(elsewhere.asked, [], 'no redirect was followed');
  assert.ok(!idp.asked.some(({ path }) => path.endsWith('/good')));

  for (const name of names) {
    idp.breakAt(name, 'keys', null);
    idp.breakAt(name, 'discovery', null);
    idp.publish(name, ROTATED);
  }
  await eventually(async () => {
    for (const name of names) assert.equal(await statusOf(service, jwt(idp.issuer(name), 'new')), 200, name);
  }, 60_000);
  assert.deepEqual(new Set(Object.values((await readyz(service)).checks.issuers)), new Set(['ok']));
});
