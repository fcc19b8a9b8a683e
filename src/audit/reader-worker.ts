import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { UnknownCursor } from '../issuance/audit-query.ts';
import { openReader } from './open-store.ts';
import type { FromReader, Question, ReaderSetup, Reply, ToReader } from './reader-messages.ts';
import type { StoreReader } from './store.ts';

// The thread that reads records: stores block, and a search may not stop the event loop, nor the thread that writes.
if (parentPort === null) throw new Error('reader-worker.ts is started by reader-thread.ts');
const setup: ReaderSetup = workerData;
serve(parentPort, setup);

function serve(port: MessagePort, { store }: ReaderSetup): void {
  /** The store as it is open now: one that failed is opened again, for its file may be another by then. */
  let current: Promise<StoreReader> | null = null;
  const uses = new Map<Promise<StoreReader>, number>();

  async function answer(question: Question): Promise<Reply> {
    const opened = (current ??= openReader(store));
    uses.set(opened, (uses.get(opened) ?? 0) + 1);
    try {
      return await ask(await opened, question);
    } catch (error) {
      if (error instanceof UnknownCursor) return { type: 'unknown_cursor' };
      if (current === opened) current = null;
      return { type: 'failure', reason: error instanceof Error ? error.message : String(error) };
    } finally {
      await leave(opened);
    }
  }

  /** The last one out closes a store that failed, so that what others ask of it meanwhile is not cut off. */
  async function leave(opened: Promise<StoreReader>): Promise<void> {
    const others = (uses.get(opened) ?? 1) - 1;
    uses.set(opened, others);
    if (others > 0) return;
    uses.delete(opened);
    if (opened !== current) await closed(opened);
  }

  port.on('message', (message: ToReader) => {
    if (message.type === 'close') {
      port.close();
      if (current !== null) void closed(current);
      return;
    }
    const { number, deadline, question } = message;
    const reply = (reply: Reply) => port.postMessage({ number, reply } satisfies FromReader);
    // A search before it can outlast a deadline.
    if (deadline <= Date.now()) return reply({ type: 'failure', reason: 'the question waited too long' });
    void answer(question).then(reply);
  });
}

async function ask(reader: StoreReader, question: Question): Promise<Reply> {
  if (question.type === 'page') return { type: 'page', page: await reader.page(question.query) };
  return { type: 'record', line: await reader.get(question.id) };
}

async function closed(opened: Promise<StoreReader>): Promise<void> {
  try {
    await (await opened).close();
  } catch {
    // It never opened, or failed before.
  }
}
