import type { RecordRow } from './record-row.ts';
import type { ToWriter } from './store-messages.ts';

/** Why the store refused single rows of a batch it took, by their index. */
export type RefusedRows = ReadonlyMap<number, string>;

/** A batch from its first row until its answer. */
export type PendingBatch = {
  readonly id: number;
  readonly rows: RecordRow[];
  /** How many callers await `outcome`; probes have no row. */
  waiters: number;
  /** Resolves once the rows are durable; rejects when they are not known to be. */
  readonly outcome: Promise<RefusedRows>;
  /** The first of these settles `outcome`, later ones do nothing. */
  accept(refused: RefusedRows): void;
  fail(error: Error): void;
  message(): ToWriter;
};

/** `onLate` is called after `timeout` milliseconds without an outcome. */
export function beginBatch(id: number, timeout: number, onLate: (batch: PendingBatch) => void): PendingBatch {
  const { promise, resolve, reject } = Promise.withResolvers<RefusedRows>();
  const deadline = Date.now() + timeout;
  const timer = setTimeout(() => onLate(batch), timeout);
  const batch: PendingBatch = {
    id,
    rows: [],
    waiters: 0,
    outcome: promise,
    accept(refused) {
      clearTimeout(timer);
      resolve(refused);
    },
    fail(error) {
      clearTimeout(timer);
      reject(error);
    },
    message: () => ({ type: 'batch', id, deadline, rows: JSON.stringify(batch.rows) }),
  };
  return batch;
}
