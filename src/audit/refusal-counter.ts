import type { AuditRecord } from '../issuance/audit-record.ts';

/** Identical refusals in one second that each have a record of their own. */
const INDIVIDUALLY = 20;
/** How long further ones are counted before their one record is written; their answers wait for it. Milliseconds. */
const COUNTING_TIME = 100;
/** Kinds of refusals told apart in one second; above it each refusal has a record again. */
const MAX_KINDS = 10_000;

type Kind = { seen: number; counting: Counting | null };
type Counting = { readonly first: AuditRecord; repeated: number; readonly written: Promise<string> };

/**
 * Counts refusals of a flood together: one record stands for all identical ones of a tenth of a second. Nothing else is
 * ever counted, and no answer leaves before the record that counts it is durable.
 *
 * @param write makes one record durable, and gives its id.
 */
export function createRefusalCounter(write: (record: AuditRecord) => Promise<string>): {
  record(record: AuditRecord): Promise<string>;
  /** Ends the forgetting; what is being counted is still written. */
  close(): void;
} {
  const kinds = new Map<string, Kind>();
  let forgetting: NodeJS.Timeout | null = null;

  function forgetSoon(): void {
    forgetting ??= setTimeout(() => {
      forgetting = null;
      kinds.clear();
    }, 1_000).unref();
  }

  function count(first: AuditRecord, kind: Kind): Counting {
    const counting: Counting = {
      first,
      repeated: 0,
      written: new Promise((resolve, reject) => {
        setTimeout(() => {
          kind.counting = null;
          write({ ...first, repeated: counting.repeated }).then(resolve, reject);
        }, COUNTING_TIME);
      }),
    };
    return counting;
  }

  return {
    record(record) {
      if (record.outcome !== 'refused') return write(record);
      forgetSoon();
      const key = keyOf(record);
      const kind = kinds.get(key) ?? { seen: 0, counting: null };
      if (kind.seen === 0 && kinds.size < MAX_KINDS) kinds.set(key, kind);
      kind.seen += 1;
      if (kind.seen <= INDIVIDUALLY) return write(record);
      kind.counting ??= count(record, kind);
      kind.counting.repeated += 1;
      return kind.counting.written;
    },
    close() {
      if (forgetting !== null) clearTimeout(forgetting);
      forgetting = null;
    },
  };
}

/** What must be the same. Request id, trace id, user agent and jti are those of the first. */
function keyOf(record: AuditRecord): string {
  const { action, reason, detail, issuer, subject, database, user, endpoint, client, clientAddress } = record;
  return JSON.stringify([action, reason, detail, issuer, subject, database, user, endpoint, client, clientAddress]);
}
