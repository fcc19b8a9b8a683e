import { resolve as absolute } from 'node:path';
import type { AuditLog } from '../issuance/audit-record.ts';
import { Fault } from '../issuance/fault.ts';
import { beginBatch, type PendingBatch } from './sqlite-batch.ts';
import type { Answer, FromStore } from './sqlite-messages.ts';
import { rowOf, type SqliteRow } from './sqlite-schema.ts';
import { startThread } from './sqlite-thread.ts';

/** How long a record or probe may take. Milliseconds. */
const timeout = 1_000;

/**
 * How many records may be between here and the disk, given up ones included: a tenth of a second's work for the store,
 * and a bound on memory while a disk hangs.
 */
const capacity = 10_000;

/** Who writes records, and who hears when the store begins to fail: once, until it has worked again. */
export type AuditInstance = { readonly name: string; readonly onFault?: (error: Error) => void };

/** Opens the store in a thread of its own; rejects with an `Error` that names the path and what is wrong with it. */
export async function openSqliteAuditLog(path: string, instance: AuditInstance): Promise<AuditLog> {
  const file = absolute(path);
  const opening = Promise.withResolvers<void>();
  const unanswered = new Map<number, PendingBatch>();
  let gathering: PendingBatch | null = null;
  let lastId = 0;
  let held = 0;
  let failing = false;
  let closed: Promise<void> | null = null;

  const thread = startThread(
    { path: file, instance: instance.name, create: true },
    {
      onMessage: receive,
      onDeath(error) {
        opening.reject(error);
        const fault = failed(error.message, error.cause);
        for (const batch of unanswered.values()) forget(batch).fail(fault);
      },
    },
  );

  function receive(message: FromStore): void {
    switch (message.type) {
      case 'opened':
        return opening.resolve();
      case 'unopened':
        opening.reject(new Error(`cannot open the audit store ${file}: ${message.reason}`));
        return void failed(message.reason);
      case 'answers':
        return message.answers.forEach(settle);
    }
  }

  function settle(answer: Answer): void {
    const batch = unanswered.get(answer.id);
    if (batch === undefined) return;
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
    return new Fault('audit_unavailable', `the audit store ${file} is unavailable: ${reason}`, { cause });
  }

  function failed(reason: string, cause?: unknown): Fault {
    const fault = unavailable(reason, cause);
    if (!failing) instance.onFault?.(fault);
    failing = true;
    return fault;
  }

  /** The batch that leaves at the end of this turn of the event loop: one message serves all its records. */
  function currentBatch(): PendingBatch {
    if (gathering === null) {
      lastId += 1;
      // A late batch stays among the unanswered: the store still holds its records.
      gathering = beginBatch(lastId, timeout, (late) => late.fail(failed('no answer within a second')));
      unanswered.set(gathering.id, gathering);
      setImmediate(send, gathering);
    }
    return gathering;
  }

  function send(batch: PendingBatch): void {
    if (gathering === batch) gathering = null;
    try {
      if (thread.send({ type: 'batch', batch: batch.message() })) return;
      forget(batch).fail(failed('its thread died and is not restarted yet'));
    } catch (error) {
      // A value that cannot be cloned to the thread.
      forget(batch).fail(unavailable('a record cannot be handed over', error));
    }
  }

  async function written(row: SqliteRow | null): Promise<void> {
    if (closed !== null) throw unavailable('it is closed');
    if (held >= capacity) throw failed(`${capacity} records are waiting already`);
    const batch = currentBatch();
    const index = row === null ? null : batch.rows.push(row) - 1;
    batch.waiters += 1;
    held += 1;
    const refused = await batch.outcome;
    const reason = index === null ? undefined : refused.get(index);
    if (reason !== undefined) throw unavailable(`the record was refused: ${reason}`);
  }

  async function close(): Promise<void> {
    await Promise.allSettled([...unanswered.values()].map(({ outcome }) => outcome));
    await thread.end();
  }

  try {
    await opening.promise;
  } catch (error) {
    await thread.end();
    throw error;
  }
  return {
    record: (record) => written(rowOf(record)),
    probe: () => written(null),
    close: () => (closed ??= close()),
  };
}
