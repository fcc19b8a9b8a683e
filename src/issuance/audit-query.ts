import type { Action, RecordedOutcome } from './audit-record.ts';

/** What records are asked for. Every condition that is there must hold; texts are compared exactly. */
export type AuditFilter = {
  /** Records of this time and later, milliseconds since the epoch. */
  readonly from?: number | undefined;
  /** Records before this time, milliseconds since the epoch. */
  readonly to?: number | undefined;
  readonly action?: Action | undefined;
  readonly outcome?: RecordedOutcome | undefined;
  readonly issuer?: string | undefined;
  readonly subject?: string | undefined;
  readonly database?: string | undefined;
  readonly user?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly grant?: string | undefined;
  /** A grant in mode `observe` that a record names, alone or among others. */
  readonly observed?: string | undefined;
  /** SHA-256 of an auth token, hex. No store has an index for it: give it a short range of time. */
  readonly tokenFingerprint?: string | undefined;
};

export type AuditQuery = {
  readonly filter: AuditFilter;
  /** At most so many records. */
  readonly limit: number;
  /** Where an earlier page ended: its `next`. Throws `UnknownCursor` when it is not one of this store. */
  readonly cursor?: string | undefined;
};

/** Records, newest first. */
export type AuditPage = {
  /** Published records as JSON texts, each one line. */
  readonly events: readonly string[];
  /**
   * The cursor of the next page; null when there is none. A page may hold fewer records than asked for, even none,
   * and have a next one: a store looks at a bounded number of records for a page.
   */
  readonly next: string | null;
};

/** Reads what an audit store holds. Rejects with a `Fault` of code `audit_unavailable` when it cannot. */
export type AuditReader = {
  page(query: AuditQuery): Promise<AuditPage>;
  /** The published record of an id as one line of JSON, or null. */
  get(id: string): Promise<string | null>;
  close(): Promise<void>;
};

/** The cursor of a query is none that this store gave. */
export class UnknownCursor extends Error {
  constructor() {
    super('the cursor is not one that this store gave');
    this.name = 'UnknownCursor';
  }
}
