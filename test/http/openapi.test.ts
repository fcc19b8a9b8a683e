import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertDescribed } from '../support/contract.ts';
import { post, startService } from '../support/running-service.ts';

test('every answer is one that the committed OpenAPI document describes', async (t) => {
  const service = await startService(t, { config: (text) => text.replace('perCaller: 1000/s', 'perCaller: 8/m') });
  const stranger = { authorization: `Bearer ${await service.mint({ sub: 'x' })}` };
  const asked: [path: string, template: string, init: RequestInit][] = [
    ['/v1/tokens', '/v1/tokens', post({ database: 'orders', user: 'app_rw' })],
    ['/v1/tokens', '/v1/tokens', post({ database: 'orders', user: 'app_rw', format: 'env' })],
    ['/v1/tokens', '/v1/tokens', post({ odd: 1 })],
    ['/v1/tokens', '/v1/tokens', post({ user: 'app_ro' })],
    ['/v1/tokens', '/v1/tokens', post({}, { authorization: 'Bearer x' })],
    ['/v1/tokens', '/v1/tokens', post({}, stranger)],
    ['/v1/tokens', '/v1/tokens', post({ user: 'u'.repeat(20_000) })],
    ['/v1/tokens', '/v1/tokens', { ...post({}), headers: { 'content-type': 'text/plain' } }],
    ['/v1/whoami', '/v1/whoami', {}],
    ['/v1/databases', '/v1/databases', {}],
    ['/v1/databases/orders', '/v1/databases/{database}', {}],
    ['/v1/databases/nope', '/v1/databases/{database}', { headers: stranger }],
    ['/v1/whoami', '/v1/whoami', {}],
    ['/v1/ca-bundles', '/v1/ca-bundles', {}],
    ['/v1/ca-bundles/us-west-2', '/v1/ca-bundles/{id}', {}],
    ['/v1/ca-bundles/nope', '/v1/ca-bundles/{id}', {}],
    ['/v1/ca-bundles/us-west-2.pem', '/v1/ca-bundles/{id}.pem', {}],
    ['/v1/ca-bundles/nope.pem', '/v1/ca-bundles/{id}.pem', {}],
  ];
  const seen = new Set<number>();
  for (const [path, template, init] of asked) {
    const response = await service.ask(path, init);
    seen.add(response.status);
    await assertDescribed(response, (init.method ?? 'get').toLowerCase(), template);
  }
  assert.deepEqual(
    [...seen].toSorted((a, b) => a - b),
    [200, 201, 400, 401, 403, 404, 413, 415, 429],
  );
});
