import type { PublishedRecord } from '../../src/issuance/published-record.ts';

/** A published record of an issued token with every member filled; tests change what they are about. */
export function publishedRecord(changes: Partial<PublishedRecord> = {}): PublishedRecord {
  return {
    access_key_id: 'AKIAIOSFODNN7EXAMPLE',
    action: 'token.issue',
    claims: { email: 'api@corp.example' },
    client: 'psql',
    client_address: '10.1.2.3',
    config_hash: 'c'.repeat(64),
    database: 'orders',
    detail: 'a sentence',
    endpoint: 'writer',
    grant: 'payments-api',
    hash: 'b'.repeat(64),
    host: 'orders.cluster-abc123.us-west-2.rds.amazonaws.com',
    id: '0199e8e6-1b7b-7000-8000-000000000001',
    instance: 'pod-1',
    issuer: 'cluster',
    jti_hash: 'a'.repeat(64),
    observed: ['no-nights', 'no-admins'],
    outcome: 'issued',
    port: 5432,
    previous_hash: 'd'.repeat(64),
    reason: 'a_reason',
    region: 'us-west-2',
    repeated: 2,
    request_id: 'req-1',
    resource_arn: 'arn:aws:rds-db:us-west-2:123456789012:dbuser:cluster-ABCDEFGH/app_rw',
    role_arn: 'arn:aws:iam::123456789012:role/orders-connect',
    sequence: 7,
    subject: 'system:serviceaccount:payments:api',
    time: '2026-11-24T10:15:00.123Z',
    token_expires_at: '2026-11-24T10:30:00.000Z',
    token_fingerprint: 'f'.repeat(64),
    trace_id: 'e'.repeat(32),
    user: 'app_rw',
    user_agent: 'curl/8.14.1',
    version: 1,
    ...changes,
  };
}

/** The same record with another value in each member. */
export function otherRecord(): Readonly<Record<keyof PublishedRecord, unknown>> {
  const record = publishedRecord();
  const others = Object.entries(record).map(([name, value]) => [
    name,
    typeof value === 'number' ? value + 1 : `other-${name}`,
  ]);
  return {
    ...Object.fromEntries(others),
    ...{
      action: 'database.list',
      outcome: 'refused',
      claims: { email: 'other' },
      observed: ['other', 'names'],
      client_address: '10.9.9.9',
    },
    ...{ time: '2026-11-24T11:15:00.123Z', token_expires_at: '2026-11-24T11:30:00.000Z' },
  };
}
