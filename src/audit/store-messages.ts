import type { AuditStore } from './audit-store.ts';
import type { RecordRow } from './record-row.ts';

/** What the writing thread is told once, when it starts. */
export type WriterSetup = {
  readonly store: AuditStore;
  /** Who writes: the name of its chain. */
  readonly instance: string;
  /** See `Store.open`. */
  readonly create: boolean;
  readonly checkpointKeyFile: string;
  /** Bytes that must stay free where the store writes. */
  readonly diskReserve: number;
  /** How long records are kept, milliseconds; null for ever. */
  readonly retention: number | null;
  /** Whether each durable record is sent back as a line, to be printed. */
  readonly copies: boolean;
};

/** Records that were handed over together. Without rows it is a probe, and gets a write of its own. */
export type Batch = {
  readonly id: number;
  /** After this nobody waits for the answer any more, milliseconds since the epoch. */
  readonly deadline: number;
  readonly rows: readonly RecordRow[];
};

export type ToWriter =
  /** `rows` is JSON: one text crosses to a thread in half the time of lists of values. */
  | { readonly type: 'batch'; readonly id: number; readonly deadline: number; readonly rows: string }
  | { readonly type: 'close' };

/** What became of one batch. */
export type Answer = {
  readonly id: number;
  /** Why none of the batch is known to be durable, or null. */
  readonly failure: string | null;
  /** Rows that were refused while the others of the batch were taken. */
  readonly refused: readonly { readonly index: number; readonly reason: string }[];
};

export type FromWriter =
  | { readonly type: 'opened'; readonly verifierKey: string }
  | { readonly type: 'unopened'; readonly reason: string }
  | { readonly type: 'answers'; readonly answers: readonly Answer[]; readonly copies: readonly string[] }
  /** A signed checkpoint that the store keeps for good. */
  | { readonly type: 'checkpoint'; readonly note: string }
  /** What was done or failed beside the writing of records. */
  | { readonly type: 'notice'; readonly level: 'info' | 'warn'; readonly text: string };
