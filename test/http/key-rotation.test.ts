import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { openIdp } from '../support/loopback-idp.ts';
import { startService } from '../support/running-service.ts';
import { jwkOf, signed } from '../support/test-issuer.ts';

type Key = { readonly kid: string; readonly privateKey: KeyObject; readonly jwk: object };

const IN_FLIGHT = 32;

function newKey(kid: string): Key {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { kid, privateKey: pair.privateKey, jwk: jwkOf(pair, { kid, alg: 'ES256' }) };
}

test('while keys rotate under load, new ones used at once and old ones removed later, no valid token gets 401', async (t) => {
  const idp = await openIdp();
  t.after(() => idp.close());
  const issuer = idp.issuer('corp');
  let ahead = 0;
  const now = () => Date.now() + ahead;
  const publish = (...keys: Key[]) => idp.publish('corp', JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
  let current = newKey('key-0');
  publish(current);
  const corp = `  - { name: corp, issuer: "${issuer}", audiences: [vendor] }\n`;
  const service = await startService(t, {
    config: (text) => text.replace('databases:\n', `${corp}databases:\n`).replaceAll('1000/s', '1000000/s'),
    overrides: { now },
  });
  const mint = ({ kid, privateKey }: Key) => {
    const iat = Math.floor(now() / 1000);
    const claims = { iss: issuer, aud: 'vendor', sub: 'somebody', iat, exp: iat + 600 };
    return signed({ alg: 'ES256', kid }, claims, privateKey);
  };
  const onTheirWay = new Map<string, number>();
  const answered = new Set<string>();
  const count = ({ kid }: Key, change: number) => onTheirWay.set(kid, (onTheirWay.get(kid) ?? 0) + change);
  const ask = async (key: Key): Promise<number> => {
    const headers = { authorization: `Bearer ${mint(key)}` };
    count(key, 1);
    const response = await fetch(new URL('/v1/whoami', service.url), { headers });
    await response.arrayBuffer();
    count(key, -1);
    answered.add(key.kid);
    if (response.status === 503) assert.match(response.headers.get('retry-after') ?? '', /^[1-9][0-9]?$/);
    return response.status;
  };

  const load = { isOn: true };
  const statuses: Record<number, number> = {};
  const askers = Array.from({ length: IN_FLIGHT }, async () => {
    while (load.isOn) {
      const status = await ask(current);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  });
  /** Publishes the next key and signs with it from then on; the one before goes when none of its tokens is on its way. */
  const rotate = async (number: number): Promise<Key> => {
    const before = current;
    const next = newKey(`key-${number}`);
    publish(before, next);
    current = next;
    await pause(400);
    // Requests may stall for longer on a busy machine, and the next rotation's load ends the old key.
    await eventually(async () => {
      assert.equal(onTheirWay.get(before.kid), 0);
      assert.ok(answered.has(next.kid));
    });
    publish(next);
    return before;
  };

  // Up to two rotations a minute are picked up at once. The clock stands in for the minutes between the others.
  for (let number = 1; number <= 6; number++) {
    if (number % 2 === 1) ahead += 60_000;
    await rotate(number);
  }
  assert.deepEqual(Object.keys(statuses), ['200'], JSON.stringify(statuses));
  const asked = idp.count('corp', 'keys');
  assert.ok(asked <= 1 + 6, `each rotation costs one load, not ${asked}`);

  // Then three more within the same minute: their tokens wait for the next load, and are told so.
  for (let number = 7; number <= 9; number++) await rotate(number);
  assert.deepEqual(Object.keys(statuses), ['200', '503'], JSON.stringify(statuses));
  assert.equal(idp.count('corp', 'keys'), asked);
  ahead += 60_000;
  await pause(200);
  assert.equal(await ask(current), 200);
  load.isOn = false;
  await Promise.all(askers);
  t.diagnostic(JSON.stringify(statuses));
  assert.equal(statuses[401], undefined);
  assert.ok((statuses[200] ?? 0) > 500, JSON.stringify(statuses));
});

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
