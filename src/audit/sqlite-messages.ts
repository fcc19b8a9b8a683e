import type { SqliteRow } from './sqlite-schema.ts';

/** What the store's thread is told once, when it starts. */
export type StoreSetup = {
  readonly path: string;
  /** Who writes: sequence numbers count up per instance. */
  readonly instance: string;
  /**
   * Whether a missing file may be created. Only at the service's start: a file that vanishes later is an audit trail
   * that was taken away, and nothing is issued until it is back or somebody restarts the service.
   */
  readonly create: boolean;
};

/** Records that were handed over together. Without rows it is a probe, and gets a write of its own. */
export type Batch = {
  readonly id: number;
  /** After this nobody waits for the answer any more, milliseconds since the epoch. */
  readonly deadline: number;
  readonly rows: readonly SqliteRow[];
};

export type ToStore = { readonly type: 'batch'; readonly batch: Batch } | { readonly type: 'close' };

/** What became of one batch. */
export type Answer = {
  readonly id: number;
  /** Why none of the batch is known to be durable, or null. */
  readonly failure: string | null;
  /** Rows that the store refused while it took the others of the batch. */
  readonly refused: readonly { readonly index: number; readonly reason: string }[];
};

export type FromStore =
  | { readonly type: 'opened' }
  | { readonly type: 'unopened'; readonly reason: string }
  | { readonly type: 'answers'; readonly answers: readonly Answer[] };
