import type { AuditPage, AuditQuery } from '../issuance/audit-query.ts';
import type { Frontier } from './chain/frontier.ts';
import type { RecordRow } from './record-row.ts';

/** The end of one instance's chain. */
export type ChainHead = {
  /** Of the last record; 0 when there is none. */
  readonly sequence: number;
  /** Of the last record. */
  readonly hash: Buffer | null;
  /** Over the hashes of all records, removed ones included. */
  readonly frontier: Frontier;
};

/** The end of a chain as a store has it, with the signed checkpoint that covers it; null while there is no record. */
export type HeadOnRecord = ChainHead & { readonly checkpoint: string | null };

/** A record with its place in the chain. */
export type ChainedRecord = {
  readonly row: RecordRow;
  readonly sequence: number;
  readonly previousHash: Buffer | null;
  readonly hash: Buffer;
  /** RFC 8785 of the published record without `hash`. */
  readonly canonical: string;
};

/** Records that become durable together, or not at all. */
export type Commit = {
  readonly before: ChainHead;
  readonly after: ChainHead;
  readonly records: readonly ChainedRecord[];
  /** The signed checkpoint of `after`: the store never holds a record that no checkpoint covers. */
  readonly checkpoint: string;
  /** Whether the checkpoint is kept for good. Otherwise the next commit's takes its place. */
  readonly keep: boolean;
};

/**
 * Where the records of one instance become durable. It may block: it lives in a thread of its own. Its calls never
 * overlap. After a rejection the caller closes it and opens it again, unless the error is `Passing`.
 */
export type Store = {
  /**
   * Opens the store and proves that it takes durable writes. Rejects with an `Error` that says what is wrong with it.
   *
   * @param create whether a missing store may be made. Only at the service's start: one that vanishes later is an audit
   *   trail that was taken away, and nothing is issued until it is back or somebody restarts the service.
   */
  open(create: boolean): Promise<void>;
  /** The end of this instance's chain, as it is on record: the caller checks what it is worth. */
  head(): Promise<HeadOnRecord>;
  /**
   * Resolves once the records survive a power cut. Rejects with `HeadMoved`, or with what is wrong with the store. After
   * a rejection the records may or may not be there: whoever asked was told that they are not known to be.
   */
  commit(commit: Commit): Promise<void>;
  /** Keeps the checkpoint of the present head, which the last commit had, for good. */
  keep(size: number, checkpoint: string): Promise<void>;
  /** Writes something that is no record, durably. */
  probe(): Promise<void>;
  /** Free bytes where the store writes; null where that is another machine's matter. */
  freeBytes(): number | null;
  /**
   * Does a slice of the work that can wait until everybody has their answer, about 50 ms at most; true when more is
   * left. `retireBefore`: removes whole ranges of records behind kept checkpoints, all of whose times are before it
   * (milliseconds since the epoch), of every instance; null keeps all.
   */
  tidy(retireBefore: number | null): Promise<boolean>;
  close(): Promise<void>;
};

/** Somebody else with this instance's name has written meanwhile: read the head again. */
export class HeadMoved extends Error {
  constructor() {
    super('another process writes under the same instance name');
  }
}

/** A lock, a full disk: the store is sound and stays open. */
export class Passing extends Error {}

/** A record as a store has it now, which need not be how it was written. */
export type StoredRecord = {
  readonly sequence: number;
  /** The stored hash of the record. */
  readonly hash: Buffer;
  /** RFC 8785 of the published record without `hash`, with the stored hash of the record before as `previous_hash`. */
  readonly canonical: string;
};

/** One instance's chain as a store has it now. */
export type StoredChain = {
  readonly instance: string;
  /** Where the chain begins since records were retired: the state after the last removed one. null: at its start. */
  readonly anchor: ChainHead | null;
  /** The state the store gives as the end; null when it is gone. */
  readonly head: { readonly sequence: number; readonly hash: Buffer | null; readonly checkpoint: string } | null;
};

export type StoredCheckpoint = {
  /** How many records it says it covers. */
  readonly size: number;
  /** The signed note. */
  readonly note: string;
};

/**
 * Reads a store, without trusting it and without changing it. Methods reject with an `Error` that says what is wrong.
 * They may be called at the same time.
 */
export type StoreReader = {
  page(query: AuditQuery): Promise<AuditPage>;
  /** The published record of an id as one line of JSON, or null. */
  get(id: string): Promise<string | null>;
  /** Every instance of which there is anything: a record, a head, a checkpoint. In the order of their names. */
  chains(): Promise<readonly StoredChain[]>;
  /** The records of an instance behind `after`, in the order of their sequence numbers, at most `limit`. */
  records(instance: string, after: number, limit: number): Promise<readonly StoredRecord[]>;
  /** The kept checkpoints of an instance behind `after`, in the order of their sizes, at most `limit`. */
  checkpoints(instance: string, after: number, limit: number): Promise<readonly StoredCheckpoint[]>;
  /**
   * How many records of an instance there are with a sequence number above `after` (null: however low) and up to `upTo`,
   * counted where `page` finds them: what `records` does not give must not be shown either.
   */
  count(instance: string, after: number | null, upTo: number): Promise<number>;
  /** What is wrong with the store beside its records, one sentence each: what could hide records from `page`. */
  faults(): Promise<readonly string[]>;
  close(): Promise<void>;
};
