import type { Worker } from 'node:worker_threads';
import type { FromReader, ReaderSetup, ToReader } from './reader-messages.ts';
import { endWorker, startWorker } from './worker-thread.ts';

/** A thread that dies at once is started at most this often. Milliseconds. */
const RESTART_INTERVAL = 1_000;

export type ReaderEvents = {
  onAnswer(answer: FromReader): void;
  /** The thread ended without being told to: what was sent to it gets no answer. */
  onDeath(error: Error): void;
};

/** The thread of the store's reader. Nothing runs before the first message; one that died is started again by the next. */
export type ReaderThread = {
  /** False when no thread may be started yet: nothing was sent. */
  send(message: ToReader): boolean;
  /** Stops a thread that is stuck. Until it is gone no other is started: a disk that hangs gathers no threads. */
  stop(): void;
  /** Asks it to close its store and waits for its end. */
  end(): Promise<void>;
};

/** @param startThread starts the thread; tests give one that fails as they need it. */
export function createReaderThread(
  setup: ReaderSetup,
  events: ReaderEvents,
  startThread: (setup: ReaderSetup) => Worker = startReaderWorker,
): ReaderThread {
  let worker: Worker | null = null;
  let startedAt = Number.NEGATIVE_INFINITY;
  let stopping = false;
  let ending = false;

  function start(): Worker {
    startedAt = performance.now();
    const started = startThread(setup);
    let cause = new Error('the reading thread ended');
    started.on('message', (answer: FromReader) => {
      if (!stopping) events.onAnswer(answer);
    });
    started.on('error', (error) => {
      cause = new Error('the reading thread failed', { cause: error });
    });
    started.once('exit', () => {
      const expected = stopping || ending;
      worker = null;
      stopping = false;
      if (!expected) events.onDeath(cause);
    });
    return started;
  }

  return {
    send(message) {
      if (stopping || ending) return false;
      if (worker === null && performance.now() - startedAt < RESTART_INTERVAL) return false;
      worker ??= start();
      worker.postMessage(message);
      return true;
    },
    stop() {
      if (worker === null || stopping) return;
      stopping = true;
      void worker.terminate();
      events.onDeath(new Error('the reading thread was stuck'));
    },
    async end() {
      ending = true;
      if (worker !== null) await endWorker(worker);
    },
  };
}

function startReaderWorker(setup: ReaderSetup): Worker {
  return startWorker('reader-worker', 'audit-reader', setup);
}
