import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditIdOf, connectionTo } from '../../src/rds/connection.ts';
import { database } from '../support/catalog.ts';

test('a connection names where to connect, not what was signed, and carries the audit id', () => {
  const endpoint = {
    name: 'reader',
    host: 'orders.cluster-ro-abc.us-west-2.rds.amazonaws.com',
    port: 5432,
    connectHost: 'orders-ro.corp.example',
    connectPort: 15_432,
  };
  const orders = {
    name: 'orders',
    engine: 'postgres' as const,
    region: 'us-west-2',
    accountId: '123456789012',
    resourceId: 'cluster-ABC',
    endpoints: new Map([['reader', endpoint]]),
    databaseName: 'orders_v2',
    caBundleId: 'us-west-2',
  };
  assert.deepEqual(connectionTo(orders, endpoint, 'app_ro', '0199-id'), {
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

test('a connection to MySQL or MariaDB carries the audit id as an attribute too', () => {
  const endpoint = { name: 'writer', host: 'h', port: 3306, connectHost: 'h', connectPort: 3306 };
  for (const engine of ['mysql', 'mariadb'] as const) {
    const connection = connectionTo(database({ engine }), endpoint, 'app_ro', '0199-id');
    assert.deepEqual(connection.connection_attributes, { rtv_audit_id: '0199-id' });
    assert.equal(auditIdOf(connection), '0199-id');
  }
});
