import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionTo } from '../../src/rds/connection.ts';

test('a connection names where to connect, not what was signed, and carries the audit id', () => {
  const endpoint = {
    name: 'reader',
    host: 'orders.cluster-ro-abc.us-west-2.rds.amazonaws.com',
    port: 5432,
    connectHost: 'orders-ro.corp.example',
    connectPort: 15_432,
  };
  const database = {
    name: 'orders',
    engine: 'postgres' as const,
    region: 'us-west-2',
    accountId: '123456789012',
    resourceId: 'cluster-ABC',
    endpoints: new Map([['reader', endpoint]]),
    databaseName: 'orders_v2',
    caBundleId: 'us-west-2',
  };
  assert.deepEqual(connectionTo(database, endpoint, 'app_ro', '0199-id'), {
    engine: 'postgres',
    host: 'orders-ro.corp.example',
    port: 15_432,
    database: 'orders_v2',
    user: 'app_ro',
    region: 'us-west-2',
    sslmode: 'verify-full',
    application_name: 'rtv:0199-id',
  });
});
