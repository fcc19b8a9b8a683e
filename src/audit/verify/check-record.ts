import { leafHash } from '../chain/extend.ts';
import type { StoredRecord } from '../store.ts';
import type { Finding } from './finding.ts';

/** Where a record stands. */
export type Position = {
  readonly instance: string;
  readonly sequence: number;
  /** Hex; null for the first record, undefined when the record before is not there to be looked at. */
  readonly previousHash: string | null | undefined;
};

/** What is wrong with one record, on its own and at its position; most wrong first. */
export function checkRecord({ canonical, hash }: StoredRecord, position: Position): Finding | null {
  const { sequence } = position;
  const parsed = parse(canonical);
  if (parsed === null) return { kind: 'record_unreadable', sequence, reason: 'it is not a JSON object' };
  const id = typeof parsed['id'] === 'string' ? parsed['id'] : null;
  if (!leafHash(canonical).equals(hash)) return { kind: 'record_edited', sequence, id };
  if (parsed['instance'] !== position.instance) {
    return { kind: 'record_misplaced', sequence, id, says: `of instance ${String(parsed['instance'])}` };
  }
  if (parsed['sequence'] !== sequence) {
    return { kind: 'record_misplaced', sequence, id, says: `record ${String(parsed['sequence'])}` };
  }
  const follows = position.previousHash === undefined || parsed['previous_hash'] === position.previousHash;
  return follows ? null : { kind: 'record_unlinked', sequence, id };
}

function parse(canonical: string): Readonly<Record<string, unknown>> | null {
  try {
    const parsed: unknown = JSON.parse(canonical);
    return isObject(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
