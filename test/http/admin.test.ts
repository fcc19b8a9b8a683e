import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../src/issuance/fault.ts';
import { post, startService } from '../support/running-service.ts';

async function readiness(url: string): Promise<{ status: number; body: string }> {
  const response = await fetch(new URL('/readyz', url));
  return { status: response.status, body: await response.text() };
}

test('/readyz names what is missing: the audit store, AWS credentials, each issuer', async (t) => {
  const full = () => Promise.reject(new Fault('audit_unavailable', 'the disk is full'));
  const service = await startService(t, {
    overrides: {
      audit: { record: full, probe: full, close: () => Promise.resolve() },
      loadCredentials: () => Promise.reject(new Error('secret detail')),
      loadKeySet: () => Promise.reject(new Error('the IdP answered 500')),
    },
  });
  await service.ask('/v1/whoami');
  const { status, body } = await readiness(service.adminUrl);
  assert.equal(status, 503);
  assert.deepEqual(JSON.parse(body), {
    status: 'not_ready',
    checks: {
      audit_store: 'the disk is full',
      aws_credentials: 'no source of the AWS provider chain gave credentials',
      issuers: { cluster: 'the IdP answered 500' },
      ca_bundles: { 'us-west-2': 'ok', 'amazon-roots': 'ok' },
      configuration: 'ok',
    },
  });
  assert.equal((await fetch(new URL('/livez', service.adminUrl))).status, 200);
});

test('one issuer that is down is named and leaves the service ready', async (t) => {
  const down = '  - { name: corp, issuer: "http://127.0.0.1:1", audiences: [vendor] }\n';
  const service = await startService(t, { config: (text) => text.replace('databases:\n', `${down}databases:\n`) });
  assert.equal((await service.ask('/v1/whoami')).status, 200);
  await sleep(100);
  const { status, body } = await readiness(service.adminUrl);
  assert.equal(status, 200);
  assert.match(body, /"corp":"http:\/\/127\.0\.0\.1:1\/\.well-known\/openid-configuration cannot be reached/);
});

test('/metrics counts decisions by outcome and reason, and nothing a caller sends becomes a label', async (t) => {
  const service = await startService(t);
  await service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw', client: 'odd-client' }));
  await service.ask('/v1/tokens', post({ database: 'odd-database' }));
  const text = await (await fetch(new URL('/metrics', service.adminUrl))).text();
  assert.match(text, /rtv_decisions_total\{action="token\.issue",outcome="issued",reason=""\} 1/);
  assert.match(text, /rtv_decisions_total\{action="token\.issue",outcome="refused",reason="not_granted"\} 1/);
  assert.match(text, /process_resident_memory_bytes/);
  assert.ok(!/odd-client|odd-database|payments/.test(text));
});
