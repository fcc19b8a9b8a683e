import type { Worker } from 'node:worker_threads';
import { type AuditReader, UnknownCursor } from '../issuance/audit-query.ts';
import { Fault } from '../issuance/fault.ts';
import type { AuditStore } from './audit-store.ts';
import type { FromReader, Question, ReaderSetup, Reply } from './reader-messages.ts';
import { createReaderThread } from './reader-thread.ts';

/** How long a question may take. Milliseconds. */
const TIMEOUT = 5_000;

/** How many questions may wait for an answer: a bound on memory, for a page may have a megabyte. */
const CAPACITY = 16;

/** A question until its answer. */
type Waiting = {
  readonly answer: Promise<Reply>;
  settle(reply: Reply): void;
  fail(fault: Fault): void;
};

/**
 * Reads the store in a thread of its own, which the first question starts: most processes never read. A store that
 * cannot be opened fails that question, and is tried again at the next.
 *
 * @param options.timeout how long a question may take, milliseconds
 */
export function openAuditReader(
  store: AuditStore,
  options: { readonly timeout?: number; readonly startWorker?: (setup: ReaderSetup) => Worker } = {},
): AuditReader {
  const { timeout = TIMEOUT, startWorker } = options;
  const waiting = new Map<number, Waiting>();
  let lastNumber = 0;
  let lastAnswerAt = 0;
  let closing: Promise<void> | null = null;

  const thread = createReaderThread(
    { store },
    {
      onAnswer({ number, reply }: FromReader) {
        lastAnswerAt = performance.now();
        waiting.get(number)?.settle(reply);
      },
      onDeath(error) {
        const fault = unavailable(error.message, error.cause);
        for (const asked of [...waiting.values()]) asked.fail(fault);
      },
    },
    startWorker,
  );

  async function answerTo(question: Question): Promise<Reply> {
    if (closing !== null) throw unavailable('it is closed');
    if (waiting.size >= CAPACITY) throw unavailable(`${CAPACITY} questions are waiting already`);
    const number = (lastNumber += 1);
    const asked = wait(number);
    if (!thread.send({ type: 'ask', number, deadline: Date.now() + timeout, question })) {
      asked.fail(unavailable('its thread is not there again yet'));
    }
    return asked.answer;
  }

  function wait(number: number): Waiting {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const askedAt = performance.now();
    const late = setTimeout(() => {
      asked.fail(unavailable('no answer in time'));
      // One that answers others is busy; one that answers nobody is stuck, and everybody behind would wait in vain.
      if (lastAnswerAt < askedAt) thread.stop();
    }, timeout);
    const asked: Waiting = {
      answer: promise,
      settle(reply) {
        forget();
        resolve(reply);
      },
      fail(fault) {
        forget();
        reject(fault);
      },
    };
    function forget(): void {
      clearTimeout(late);
      waiting.delete(number);
    }
    waiting.set(number, asked);
    return asked;
  }

  async function close(): Promise<void> {
    await Promise.allSettled([...waiting.values()].map(({ answer }) => answer));
    await thread.end();
  }

  return {
    async page(query) {
      const reply = await answerTo({ type: 'page', query });
      if (reply.type === 'page') return reply.page;
      if (reply.type === 'unknown_cursor') throw new UnknownCursor();
      throw unavailable(reasonOf(reply));
    },
    async get(id) {
      const reply = await answerTo({ type: 'record', id });
      if (reply.type === 'record') return reply.line;
      throw unavailable(reasonOf(reply));
    },
    close: () => (closing ??= close()),
  };
}

function reasonOf(reply: Reply): string {
  return reply.type === 'failure' ? reply.reason : 'its thread gave an answer of another kind';
}

function unavailable(reason: string, cause?: unknown): Fault {
  return new Fault('audit_unavailable', `the audit store cannot be read: ${reason}`, { cause });
}
