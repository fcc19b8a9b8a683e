import type { AuditLog } from '../issuance/audit-record.ts';
import { Fault } from '../issuance/fault.ts';
import { storePlace } from './audit-store.ts';
import { beginBatch, type PendingBatch } from './pending-batch.ts';
import { type RecordRow, rowOf } from './record-row.ts';
import { createRefusalCounter } from './refusal-counter.ts';
import type { Answer, FromWriter, WriterSetup } from './store-messages.ts';
import { startWriterThread } from './writer-thread.ts';

/** How long a record or probe may take; with the time that refusals are counted it stays under a second. Milliseconds. */
const TIMEOUT = 750;

/** How many records may be between here and the disk, given up ones included: a bound on memory while a disk hangs. */
const CAPACITY = 10_000;

/** What the log tells whoever opened it. */
export type AuditEvents = {
  /** The store begins to fail: once, until it has worked again. */
  readonly onFault?: (error: Error) => void;
  /** A signed checkpoint is in the store for good. Print it: outside of this machine it proves the records before it. */
  readonly onCheckpoint?: (note: string) => void;
  /** Durable records as lines of JSON, when `copies` is set. */
  readonly onCopies?: (lines: readonly string[]) => void;
  readonly onNotice?: (level: 'info' | 'warn', text: string) => void;
};

/** An open log, and the public key that its checkpoints are verified with. */
export type OpenAuditLog = AuditLog & { readonly verifierKey: string };

/** Opens the store in a thread of its own; rejects with an `Error` that says which one and what is wrong with it. */
export async function openAuditLog(
  setup: Omit<WriterSetup, 'create'>,
  events: AuditEvents = {},
): Promise<OpenAuditLog> {
  const place = storePlace(setup.store);
  const opening = Promise.withResolvers<string>();
  const unanswered = new Map<number, PendingBatch>();
  let gathering: PendingBatch | null = null;
  /** The batch that the thread works on. Others gather meanwhile: one sync then serves all of them. */
  let sent: PendingBatch | null = null;
  let lastId = 0;
  let held = 0;
  let failing = false;
  let closed: Promise<void> | null = null;

  const thread = startWriterThread(
    { ...setup, create: true },
    {
      onMessage: receive,
      onDeath(error) {
        opening.reject(error);
        const fault = failed(error.message, error.cause);
        sent = null;
        for (const batch of unanswered.values()) if (batch !== gathering) forget(batch).fail(fault);
        sendGathered();
      },
    },
  );

  function receive(message: FromWriter): void {
    switch (message.type) {
      case 'opened':
        return opening.resolve(message.verifierKey);
      case 'unopened':
        opening.reject(new Error(`cannot open the audit store ${place}: ${message.reason}`));
        return void failed(message.reason);
      case 'answers':
        message.answers.forEach(settle);
        if (message.copies.length > 0) events.onCopies?.(message.copies);
        return sendGathered();
      case 'checkpoint':
        return events.onCheckpoint?.(message.note);
      case 'notice':
        return events.onNotice?.(message.level, message.text);
    }
  }

  function settle(answer: Answer): void {
    const batch = unanswered.get(answer.id);
    if (batch === undefined) return;
    if (sent === batch) sent = null;
    forget(batch);
    if (answer.failure !== null) return batch.fail(failed(answer.failure));
    failing = false;
    batch.accept(new Map(answer.refused.map(({ index, reason }) => [index, reason])));
  }

  function forget(batch: PendingBatch): PendingBatch {
    if (unanswered.delete(batch.id)) held -= batch.waiters;
    return batch;
  }

  function unavailable(reason: string, cause?: unknown): Fault {
    return new Fault('audit_unavailable', `the audit store ${place} is unavailable: ${reason}`, { cause });
  }

  function failed(reason: string, cause?: unknown): Fault {
    const fault = unavailable(reason, cause);
    if (!failing) events.onFault?.(fault);
    failing = true;
    return fault;
  }

  /** The batch that leaves next: at the end of this turn of the event loop, or when the one before has its answer. */
  function currentBatch(): PendingBatch {
    if (gathering === null) {
      lastId += 1;
      gathering = beginBatch(lastId, TIMEOUT, onLate);
      unanswered.set(gathering.id, gathering);
      if (sent === null) setImmediate(sendGathered);
    }
    return gathering;
  }

  function onLate(late: PendingBatch): void {
    late.fail(failed('no answer in time'));
    // One that was sent stays among the unanswered until its answer comes: the thread still holds its records.
    if (late === sent) sent = null;
    if (late !== gathering) return sendGathered();
    gathering = null;
    forget(late);
  }

  function sendGathered(): void {
    if (sent === null && gathering !== null) send(gathering);
  }

  function send(batch: PendingBatch): void {
    if (gathering === batch) gathering = null;
    sent = batch;
    if (thread.send(batch.message())) return;
    forget(batch).fail(failed('its thread died and is not restarted yet'));
    sent = null;
  }

  async function written(row: RecordRow | null): Promise<void> {
    if (closed !== null) throw unavailable('it is closed');
    if (held >= CAPACITY) throw failed(`${CAPACITY} records are waiting already`);
    const batch = currentBatch();
    const index = row === null ? null : batch.rows.push(row) - 1;
    batch.waiters += 1;
    held += 1;
    const refused = await batch.outcome;
    const reason = index === null ? undefined : refused.get(index);
    if (reason !== undefined) throw unavailable(`the record was refused: ${reason}`);
  }

  const counter = createRefusalCounter(async (record) => {
    let row: RecordRow;
    try {
      row = rowOf(record);
    } catch (error) {
      throw unavailable('the record cannot be kept', error);
    }
    await written(row);
    return record.id;
  });

  async function close(): Promise<void> {
    counter.close();
    await Promise.allSettled([...unanswered.values()].map(({ outcome }) => outcome));
    await thread.end();
  }

  let verifierKey: string;
  try {
    verifierKey = await opening.promise;
  } catch (error) {
    await thread.end();
    throw error;
  }
  return {
    verifierKey,
    record: (record) => counter.record(record),
    probe: () => written(null),
    close: () => (closed ??= close()),
  };
}
