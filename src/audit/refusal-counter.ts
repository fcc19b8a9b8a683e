import type { AuditRecord } from '../issuance/audit-record.ts';
import { refusalKind } from './refusal-kind.ts';

/** Refusals of one kind in a second that each have a record of their own. */
const INDIVIDUALLY = 20;
/** Refusals of all kinds without a verified caller in a second that do: above it they are told apart by reason alone. */
const ANONYMOUSLY = 200;
/** How long further ones are counted before their one record is written; their answers wait for it. Milliseconds. */
const COUNTING_TIME = 100;

type Kind = { seen: number; counting: Counting | null };
type Counting = { repeated: number; readonly written: Promise<string> };

/**
 * Counts refusals of a flood together: one record stands for all of a kind of a tenth of a second. So it does with faults
 * before there is a verified caller, such as a key that cannot be looked for: whoever makes up key ids causes as many as it
 * likes. Nothing else is ever counted, and no answer leaves before the record that counts it is durable.
 *
 * Whoever has no verified identity chooses every text of its request, and often its address: so its refusals are of one
 * kind by address and reason, and above 200 a second by reason alone. Verified callers are limited by their own rate.
 *
 * @param write makes one record durable, and gives its id.
 */
export function createRefusalCounter(write: (record: AuditRecord) => Promise<string>): {
  record(record: AuditRecord): Promise<string>;
  /** Ends the forgetting; what is being counted is still written. */
  close(): void;
} {
  const kinds = new Map<string, Kind>();
  let anonymous = 0;
  let forgetting: NodeJS.Timeout | null = null;

  function forgetSoon(): void {
    forgetting ??= setTimeout(() => {
      forgetting = null;
      anonymous = 0;
      kinds.clear();
    }, 1_000).unref();
  }

  function count(first: AuditRecord, kind: Kind): Counting {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const counting: Counting = { repeated: 0, written: promise };
    setTimeout(() => {
      kind.counting = null;
      write({ ...first, repeated: counting.repeated }).then(resolve, reject);
    }, COUNTING_TIME);
    return counting;
  }

  function kindOf(key: string): Kind {
    const kind = kinds.get(key) ?? { seen: 0, counting: null };
    kinds.set(key, kind);
    return kind;
  }

  function counted(record: AuditRecord, kind: Kind): Promise<string> {
    kind.counting ??= count(record, kind);
    kind.counting.repeated += 1;
    return kind.counting.written;
  }

  return {
    record(record) {
      if (!isCountable(record)) return write(record);
      forgetSoon();
      const { key, coarse, common } = refusalKind(record);
      if (coarse !== null) {
        anonymous += 1;
        if (anonymous > ANONYMOUSLY) return counted(common, kindOf(coarse));
      }
      const kind = kindOf(key);
      kind.seen += 1;
      return kind.seen <= INDIVIDUALLY ? write(record) : counted(record, kind);
    },
    close() {
      if (forgetting !== null) clearTimeout(forgetting);
      forgetting = null;
    },
  };
}

function isCountable({ outcome, issuer }: AuditRecord): boolean {
  return outcome === 'refused' || (outcome === 'failed' && issuer === null);
}
