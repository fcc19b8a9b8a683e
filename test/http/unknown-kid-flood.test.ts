import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { openIdp } from '../support/loopback-idp.ts';
import { startService } from '../support/running-service.ts';
import { base64url, signed } from '../support/test-issuer.ts';

const FLOOD = 10_000;
const IN_FLIGHT = 200;

test('10,000 unknown kids within a minute cost the issuer two requests, and good tokens are served all the while', async (t) => {
  const idp = await openIdp();
  t.after(() => idp.close());
  const issuer = idp.issuer('corp');
  const corp = `  - { name: corp, issuer: "${issuer}", audiences: [vendor] }\n`;
  const service = await startService(t, {
    // The limits of senders are off: each token reaches the keys.
    config: (text) =>
      text
        .replace('databases:\n', `${corp}databases:\n`)
        .replaceAll('1000/s', '1000000/s')
        .replace('perDatabase', 'perAddress: 1000000/s, perDatabase'),
  });
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: 'vendor', sub: 'somebody', exp: iat + 600 };
  const good = `Bearer ${signed({ alg: 'RS256', kid: 'rsa' }, { ...claims, iat })}`;
  /** A token of a key that never was. Half of them say that they are new. */
  const made = (index: number) => {
    const payload = { ...claims, iat: index % 2 === 0 ? iat + 30 : iat - 600 };
    const parts = [{ alg: 'RS256', kid: randomUUID() }, payload].map(base64url);
    return `Bearer ${[...parts, randomBytes(256).toString('base64url')].join('.')}`;
  };
  const ask = async (authorization: string): Promise<number> => {
    const response = await service.ask('/v1/whoami', { headers: { authorization } });
    await response.arrayBuffer();
    return response.status;
  };
  assert.equal(await ask(good), 200);
  assert.deepEqual([idp.count('corp', 'discovery'), idp.count('corp', 'keys')], [1, 1]);

  const begun = Date.now();
  const answers: Record<string, number> = {};
  const done = { sent: 0, ended: 0 };
  const flood = Array.from({ length: IN_FLIGHT }, async () => {
    while (done.sent < FLOOD) {
      const status = await ask(made(done.sent++));
      answers[status] = (answers[status] ?? 0) + 1;
      done.ended++;
    }
  });
  const served: Record<string, number> = {};
  while (done.ended < FLOOD) {
    const status = await ask(good);
    served[status] = (served[status] ?? 0) + 1;
  }
  await Promise.all(flood);
  t.diagnostic(JSON.stringify({ good: served, flood: answers, seconds: (Date.now() - begun) / 1000 }));
  assert.ok(Date.now() - begun < 60_000, 'the flood was over within the minute');
  assert.deepEqual([idp.count('corp', 'discovery'), idp.count('corp', 'keys')], [1, 1 + 2]);
  assert.deepEqual(Object.keys(served), ['200']);
  assert.deepEqual(Object.keys(answers), ['401', '503']);
  assert.equal((answers[401] ?? 0) + (answers[503] ?? 0), FLOOD);
});
