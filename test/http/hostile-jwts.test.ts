import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import { admitKeys } from '../../src/jwt/admit-keys.ts';
import { HOSTILE_JWTS } from '../jwt/hostile-jwts.ts';
import { startService } from '../support/running-service.ts';
import { CLAIMS, HEADER, keySetText, NOW, signed } from '../support/test-issuer.ts';

test('every hostile JWT is a 401 with the same body, has a record, and causes no outbound connection', async (t) => {
  let now = NOW;
  const service = await startService(t, {
    config: (text) => text.replace('perCaller: 1000/s', 'perCaller: 1000/m'),
    overrides: { now: () => now, loadKeySet: () => Promise.resolve(admitKeys(keySetText())) },
  });
  const ask = (token: string) =>
    service.app.publicServer.inject({
      method: 'GET',
      url: '/v1/whoami',
      headers: { authorization: `Bearer ${token}` },
    });
  assert.equal((await ask(signed(HEADER, CLAIMS))).statusCode, 200);

  let connections = 0;
  const count = () => void connections++;
  subscribe('net.client.socket', count);
  t.after(() => unsubscribe('net.client.socket', count));
  let unknownKids = 0;
  for (const [what, token, detail] of HOSTILE_JWTS) {
    // Two loads for unknown kids in a minute tell that there is no such key; the third token in it would have to wait.
    now = detail.test('the kid is not a key') ? NOW + ++unknownKids * 60_001 : NOW;
    const { statusCode, body, headers } = await ask(token);
    assert.equal(statusCode, 401, what);
    assert.deepEqual(
      { ...JSON.parse(body), audit_id: '' },
      {
        type: 'urn:rds-token-vendor:problem:token-invalid',
        title: 'No valid token',
        status: 401,
        detail: 'Send a valid JWT of a configured issuer as a bearer token.',
        audit_id: '',
      },
    );
    assert.equal(headers['www-authenticate'], 'Bearer realm="rds-token-vendor", error="invalid_token"');
  }
  assert.equal(connections, 0);
  const records = service.records();
  assert.equal(records.length, HOSTILE_JWTS.length);
  records.forEach((record, index) => {
    const [what, token, detail] = HOSTILE_JWTS[index] ?? assert.fail();
    assert.match(record.detail ?? '', detail, what);
    assert.ok(token === 'hello' || !JSON.stringify(record).includes(token.slice(-40)), what);
  });
  assert.ok(!service.log().includes('eyJ'));
});
