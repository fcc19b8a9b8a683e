import { publishedLine } from '../issuance/published-record.ts';
import type { CheckpointSigner } from './chain/checkpoint.ts';
import { extendChain } from './chain/extend.ts';
import { rootOf } from './chain/frontier.ts';
import { rowId } from './record-row.ts';
import { type ChainHead, HeadMoved, Passing, type Store } from './store.ts';
import type { Answer, Batch } from './store-messages.ts';
import { trustedHead } from './trusted-head.ts';

/** Records from one kept checkpoint to the next. */
const MOST_RECORDS = 1_000;
/** Ids remembered, so that a record that is handed over twice is refused alone. */
const MOST_IDS = 20_000;
/** A checkpoint is kept at the first commit so long after the one before. Milliseconds. */
const CHECKPOINT_INTERVAL = 750;
/** How old a figure of free bytes may be. Milliseconds. */
const FREE_BYTES_AGE = 200;

export type WriterOptions = {
  readonly store: Store;
  readonly instance: string;
  readonly signer: CheckpointSigner;
  readonly diskReserve: number;
  readonly now: () => number;
  /** A checkpoint that the store now keeps for good. */
  readonly onCheckpoint: (note: string) => void;
  /** Published lines of records that are durable now. */
  readonly onCopies: ((lines: readonly string[]) => void) | null;
};

/** Writes the chain of one instance. Its calls must not overlap. */
export type Writer = {
  /** @throws {Error} what is wrong with the store. */
  open(create: boolean): Promise<void>;
  /** One answer for each batch; never rejects. Opens the store again after an error closed it. */
  write(batches: readonly Batch[]): Promise<readonly Answer[]>;
  /** Keeps the checkpoint of the last records, when none that is kept covers them and it is time. Never rejects. */
  keepCheckpoint(): Promise<void>;
  close(): Promise<void>;
};

type Admitted = { readonly batch: Batch; readonly index: number };

export function createWriter(options: WriterOptions): Writer {
  const { store, instance, signer, diskReserve, now, onCheckpoint, onCopies } = options;
  let isOpen = false;
  let head: ChainHead | null = null;
  /** The last that is known to be durable, also while the store is closed. */
  let written: ChainHead | null = null;
  let kept = { size: 0, time: 0 };
  let last: { readonly size: number; readonly note: string } | null = null;
  let free = { bytes: Number.POSITIVE_INFINITY, time: 0 };
  const ids = new Set<string>();

  async function readHead(): Promise<ChainHead> {
    return trustedHead(await store.head(), signer, written);
  }

  async function reopened(): Promise<void> {
    if (!isOpen) await store.open(false);
    isOpen = true;
  }

  async function closeStore(): Promise<void> {
    head = null;
    isOpen = false;
    await store.close();
  }

  function requireFreeBytes(): void {
    if (now() - free.time >= FREE_BYTES_AGE || now() < free.time) {
      free = { bytes: store.freeBytes() ?? Number.POSITIVE_INFINITY, time: now() };
    }
    if (free.bytes < diskReserve) {
      throw new Passing(`${free.bytes} bytes are free on the disk, and ${diskReserve} are to stay free`);
    }
  }

  /** How many records the next commit may have, so that a kept checkpoint comes in time. */
  function room(): number {
    const sequence = head?.sequence ?? kept.size;
    return Math.min(MOST_RECORDS, Math.max(1, MOST_RECORDS - (sequence - kept.size)));
  }

  async function commitRows(rows: readonly Admitted[]): Promise<void> {
    try {
      await commitAt((head ??= await readHead()), rows);
    } catch (error) {
      if (!(error instanceof HeadMoved)) throw error;
      await commitAt((head = await readHead()), rows);
    }
  }

  async function commitAt(before: ChainHead, rows: readonly Admitted[]): Promise<void> {
    const batchRows = rows.flatMap(({ batch, index }) => batch.rows.slice(index, index + 1));
    const { records, head: after } = extendChain(before, instance, batchRows);
    const time = now();
    const size = after.sequence;
    const note = signer.sign({ size, root: rootOf(after.frontier), time });
    const keep = size - kept.size >= MOST_RECORDS || Math.abs(time - kept.time) >= CHECKPOINT_INTERVAL;
    head = null;
    await store.commit({ before, after, records, checkpoint: note, keep });
    head = after;
    written = after;
    last = { size, note };
    if (keep) noteKept(size, time, note);
    onCopies?.(records.map(({ canonical, hash }) => publishedLine(canonical, hash.toString('hex'))));
  }

  function noteKept(size: number, time: number, note: string): void {
    kept = { size, time };
    onCheckpoint(note);
  }

  function refuseRepeated(batch: Batch): { readonly admitted: Admitted[]; readonly refused: Answer['refused'] } {
    const admitted: Admitted[] = [];
    const refused: { index: number; reason: string }[] = [];
    for (const [index, row] of batch.rows.entries()) {
      const id = rowId(row);
      if (ids.has(id)) refused.push({ index, reason: 'a record of this id is there already' });
      else admitted.push({ batch, index });
      ids.add(id);
    }
    return { admitted, refused };
  }

  function forgetIds(rows: readonly Admitted[], all: boolean): void {
    if (all) for (const { batch, index } of rows) ids.delete(rowId(batch.rows[index] ?? []));
    for (const id of ids) {
      if (ids.size <= MOST_IDS) return;
      ids.delete(id);
    }
  }

  async function writeBatches(batches: readonly Batch[]): Promise<readonly Answer[]> {
    const taken = batches.map((batch) => ({ batch, ...refuseRepeated(batch) }));
    const failed = (failure: string) => batches.map(({ id }): Answer => ({ id, failure, refused: [] }));
    const rows = taken.flatMap(({ admitted }) => admitted);
    try {
      await reopened();
      requireFreeBytes();
      if (rows.length === 0) {
        await store.probe();
        // A store that takes writes, and in which the chain cannot be continued, is no store to be ready with.
        head = await readHead();
      }
      for (let rest = rows; rest.length > 0; ) {
        const most = room();
        await commitRows(rest.slice(0, most));
        rest = rest.slice(most);
      }
      forgetIds(rows, false);
      return taken.map(({ batch, refused }): Answer => ({ id: batch.id, failure: null, refused }));
    } catch (error) {
      // Some of the rows may be there, when several commits were needed: whoever asked only hears that it is not known.
      forgetIds(rows, true);
      const failure = error instanceof Error ? error.message : String(error);
      if (!(error instanceof Passing)) await closeStore().catch(() => undefined);
      return failed(failure);
    }
  }

  return {
    async open(create) {
      await store.open(create);
      isOpen = true;
      head = await readHead();
      written = head;
      kept = { size: head.sequence, time: 0 };
    },
    async write(batches) {
      // Waiting for the write before can outlast a deadline.
      const isLate = ({ deadline }: Batch) => deadline <= now();
      const late = batches.filter(isLate);
      const timely = batches.filter((batch) => !late.includes(batch));
      const answers = late.map(({ id }): Answer => ({ id, failure: 'the record waited too long', refused: [] }));
      return timely.length === 0 ? answers : [...answers, ...(await writeBatches(timely))];
    },
    async keepCheckpoint() {
      if (!isOpen || last === null || last.size <= kept.size || Math.abs(now() - kept.time) < CHECKPOINT_INTERVAL)
        return;
      const { size, note } = last;
      try {
        await store.keep(size, note);
        noteKept(size, now(), note);
      } catch (error) {
        // It stays the checkpoint of the head, and is tried again.
        if (!(error instanceof Passing)) await closeStore().catch(() => undefined);
      }
    },
    async close() {
      if (isOpen && last !== null && last.size > kept.size) {
        const { size, note } = last;
        // A store that fails now has the checkpoint all the same, as that of its head.
        await store.keep(size, note).then(
          () => noteKept(size, now(), note),
          () => undefined,
        );
      }
      await closeStore();
    },
  };
}
