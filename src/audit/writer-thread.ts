import type { Worker } from 'node:worker_threads';
import type { FromWriter, ToWriter, WriterSetup } from './store-messages.ts';
import { endWorker, startWorker } from './worker-thread.ts';

/** A thread that dies at once is started at most this often. Milliseconds. */
const RESTART_INTERVAL = 1_000;

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
    const started = startWorker('writer-worker', 'audit-writer', { ...setup, create });
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
      if (worker !== null) await endWorker(worker);
    },
  };
}

function post(worker: Worker, message: ToWriter): void {
  worker.postMessage(message);
}
