import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadText, problemsOf, VALID, warningsOf, withChange } from '../support/config-file.ts';

test('a database has its defaults filled in', () => {
  const host = 'orders.cluster-ro-abc.us-west-2.rds.amazonaws.com';
  const orders = loadText(VALID).catalog.get('orders');
  assert.deepEqual(
    { ...orders, endpoints: undefined },
    {
      name: 'orders',
      engine: 'postgres',
      region: 'us-west-2',
      accountId: '123456789012',
      resourceId: 'cluster-ABCDEFGH',
      endpoints: undefined,
      databaseName: 'orders',
      caBundleId: 'us-west-2',
    },
  );
  assert.deepEqual([...(orders?.endpoints.keys() ?? [])], ['writer', 'reader']);
  assert.deepEqual(orders?.endpoints.get('reader'), {
    name: 'reader',
    host,
    port: 5432,
    connectHost: host,
    connectPort: 5432,
  });
});

for (const [engine, port] of [
  ['postgres', 5432],
  ['mysql', 3306],
  ['mariadb', 3306],
] as const) {
  test(`the usual port of ${engine} is ${port}`, () => {
    const { catalog } = loadText(withChange('engine: postgres', `engine: ${engine}`));
    assert.equal(catalog.get('orders')?.endpoints.get('reader')?.port, port);
  });
}

test('tokens are signed for the host in lower case, and clients connect where they are told', () => {
  const text = withChange(
    'host: orders.',
    'connectHost: Tunnel.corp\n        connectPort: 6432\n        host: ORDERS.',
  );
  assert.deepEqual(loadText(text).catalog.get('orders')?.endpoints.get('reader'), {
    name: 'reader',
    host: 'orders.cluster-ro-abc.us-west-2.rds.amazonaws.com',
    port: 5432,
    connectHost: 'Tunnel.corp',
    connectPort: 6432,
  });
});

test('a place to connect to without a port has the port of the endpoint', () => {
  const text = withChange('host: orders.', 'connectHost: tunnel.corp\n        port: 5433\n        host: orders.');
  assert.equal(loadText(text).catalog.get('orders')?.endpoints.get('reader')?.connectPort, 5433);
});

const sha256 = `0123456789abcdef${'0'.repeat(48)}`;
for (const [what, from, to, id] of [
  ['its region', 'us-west-2\n', 'us-west-2\n', 'us-west-2'],
  ['the id written', '    engine:', '    caBundle: global\n    engine:', 'global'],
  ['its file', '    engine:', `    caBundle: { file: a.pem, sha256: ${sha256} }\n    engine:`, 'file-0123456789abcdef'],
  ['the Amazon roots for a proxy', 'cluster-ABCDEFGH', 'prx-0a1b2c', 'amazon-roots'],
] as const) {
  test(`the CA bundle of a database is that of ${what}`, () => {
    assert.equal(loadText(withChange(from, to)).catalog.get('orders')?.caBundleId, id);
  });
}

for (const [what, region, suffix] of [
  ['GovCloud', 'us-gov-west-1', 'us-gov-west-1.rds.amazonaws.com'],
  ['China', 'cn-north-1', 'rds.cn-north-1.amazonaws.com.cn'],
  ['China, in the older form', 'cn-northwest-1', 'cn-northwest-1.rds.amazonaws.com.cn'],
] as const) {
  test(`hosts of ${what} are accepted without a warning`, () => {
    const text = VALID.replace('region: us-west-2', `region: ${region}`).replaceAll(
      'us-west-2.rds.amazonaws.com',
      suffix,
    );
    assert.deepEqual(warningsOf(text), []);
  });
}

test('a host of China without .cn is refused', () => {
  const text = VALID.replaceAll('us-west-2', 'cn-north-1');
  assert.match(problemsOf(text)[0] ?? '', /^17:15: .* it ends in \.amazonaws\.com\.cn\.$/);
});

test('a grant without endpoints means the writer', () => {
  assert.deepEqual(loadText(VALID).grants[0]?.allow?.[0]?.endpoints, ['writer']);
});

test('a grant without endpoints means the only endpoint, whatever its name', () => {
  const text = VALID.replace('writer: orders.cluster-abc.us-west-2.rds.amazonaws.com:5432\n      ', '');
  assert.deepEqual(loadText(text).grants[0]?.allow?.[0]?.endpoints, ['reader']);
});
