import { Worker } from 'node:worker_threads';
import type { FromWriter, ToWriter, WriterSetup } from './store-messages.ts';

/** A thread that dies at once is started at most this often. Milliseconds. */
const RESTART_INTERVAL = 1_000;

/** How long a thread may take to close its store, a sync included, before it is stopped. Milliseconds. */
const CLOSE_TIMEOUT = 2_000;

export type ThreadEvents = {
  onMessage(message: FromWriter): void;
  /** The thread ended without being told to: what was sent to it gets no answer. */
  onDeath(error: Error): void;
};

/** The thread of the store's writer, started again by the first message after its death. */
export type WriterThread = {
  /** False when the thread died less than a second after its start: nothing was sent. */
  send(message: ToWriter): boolean;
  /** Asks it to close its store and waits for its end. */
  end(): Promise<void>;
};

export function startWriterThread(setup: WriterSetup, events: ThreadEvents): WriterThread {
  let worker: Worker | null = null;
  let startedAt = 0;
  let ending = false;

  function start(create: boolean): Worker {
    startedAt = performance.now();
    const started = new Worker(workerFile(), { workerData: { ...setup, create }, name: 'audit-writer' });
    let cause = new Error('the audit thread ended');
    started.on('message', (message: FromWriter) => events.onMessage(message));
    started.on('error', (error) => {
      cause = new Error('the audit thread failed', { cause: error });
    });
    started.once('exit', () => {
      worker = null;
      if (!ending) events.onDeath(cause);
    });
    return started;
  }

  worker = start(setup.create);
  return {
    send(message) {
      if (worker === null && performance.now() - startedAt < RESTART_INTERVAL) return false;
      worker ??= start(false);
      post(worker, message);
      return true;
    },
    async end() {
      ending = true;
      if (worker === null) return;
      const { promise: ended, resolve } = Promise.withResolvers<void>();
      worker.once('exit', () => resolve());
      post(worker, { type: 'close' });
      const late = setTimeout(() => {
        // A thread blocked in the kernel cannot be stopped either, so its end is not waited for.
        void worker?.terminate();
        resolve();
      }, CLOSE_TIMEOUT);
      await ended;
      clearTimeout(late);
    },
  };
}

function post(worker: Worker, message: ToWriter): void {
  worker.postMessage(message);
}

/** The build makes `.js` of the sources, but does not rewrite URLs. */
function workerFile(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./writer-worker.${extension}`, import.meta.url);
}
