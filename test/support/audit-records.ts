import { newAuditId } from '../../src/issuance/audit-id.ts';
import { type AuditRecord, beginAuditRecord } from '../../src/issuance/audit-record.ts';

/** A record of an issued token with every field filled; tests change what they are about. */
export function auditRecord(changes: Partial<AuditRecord> = {}): AuditRecord {
  const time = changes.time ?? 1_790_000_000_123;
  return {
    ...beginAuditRecord(newAuditId(time), time, 'c'.repeat(64), {
      action: 'token.issue',
      clientAddress: '10.1.2.3',
      userAgent: 'curl/8.14.1',
      requestId: 'req-1',
      traceId: null,
    }),
    outcome: 'issued',
    issuer: 'cluster',
    subject: 'system:serviceaccount:payments:api',
    jtiHash: 'a'.repeat(64),
    database: 'orders',
    endpoint: 'writer',
    host: 'orders.cluster-abc123.us-west-2.rds.amazonaws.com',
    port: 5432,
    region: 'us-west-2',
    user: 'app_rw',
    resourceArn: 'arn:aws:rds-db:us-west-2:123456789012:dbuser:cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ/app_rw',
    grant: 'payments-api',
    observed: ['no-nights'],
    tokenFingerprint: 'f'.repeat(64),
    tokenExpiresAt: 1_790_000_900_000,
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    client: 'psql',
    ...changes,
  };
}
