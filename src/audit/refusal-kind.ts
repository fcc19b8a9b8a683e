import type { AuditRecord } from '../issuance/audit-record.ts';
import { addressGroup } from '../issuance/address-group.ts';

/** Which refusals, or faults before there is a verified caller, count as the same. */
export type RefusalKind = {
  readonly key: string;
  /** The key while there are too many kinds; null for a verified caller, whose own rate bounds them. */
  readonly coarse: string | null;
  /** The record with what refusals of one coarse key do not have in common left out. */
  readonly common: AuditRecord;
};

export function refusalKind(record: AuditRecord): RefusalKind {
  const { action, reason, detail, issuer, subject, database, user, endpoint, client, clientAddress } = record;
  const { grant, observed, configHash } = record;
  if (issuer !== null) {
    const key = JSON.stringify([
      action,
      reason,
      detail,
      issuer,
      subject,
      database,
      user,
      endpoint,
      client,
      clientAddress,
      // Which grants match can hang on claims and on the time, and so differ where all else is alike.
      grant,
      observed,
      configHash,
    ]);
    return { key, coarse: null, common: record };
  }
  const key = JSON.stringify([reason, clientAddress === null ? null : addressGroup(clientAddress)]);
  return { key, coarse: `all ${String(reason)}`, common: withoutOrigin(record) };
}

function withoutOrigin(record: AuditRecord): AuditRecord {
  const what = record.outcome === 'failed' ? 'faults' : 'refusals';
  const detail = `${what} from several addresses, counted together`;
  return { ...record, detail, clientAddress: null, userAgent: null, requestId: null, traceId: null, client: null };
}
