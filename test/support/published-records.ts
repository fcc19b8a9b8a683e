import type { AuditRecord } from '../../src/issuance/audit-record.ts';
import type { PublishedRecord } from '../../src/issuance/published-record.ts';

/** A record as it was read from a store, by its published names, without the two hashes. */
export type ReadRecord = Omit<PublishedRecord, 'hash' | 'previous_hash'>;

/** What must be read of a record that was written: every field by its published name, times as RFC 3339. */
export function asPublished(record: AuditRecord, instance: string, sequence: number): ReadRecord {
  const fields = Object.entries(record).map(([name, value]) => [snakeCase(name), value]);
  const { time, tokenExpiresAt } = record;
  const all = {
    ...Object.fromEntries(fields),
    time: new Date(time).toISOString(),
    token_expires_at: tokenExpiresAt === null ? null : new Date(tokenExpiresAt).toISOString(),
    instance,
    sequence,
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- compared with what was read
  return all as ReadRecord;
}

/** Of a published line. */
export function withoutHashes(line: string): ReadRecord {
  const { hash: _hash, previous_hash: _previous, ...rest } = JSON.parse(line);
  return rest;
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
