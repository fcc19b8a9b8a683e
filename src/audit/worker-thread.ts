import { Worker } from 'node:worker_threads';

/** How long a thread may take to close its store, a sync included, before it is stopped. Milliseconds. */
const CLOSE_TIMEOUT = 2_000;

/** Starts one of the threads that this folder has the code of. */
export function startWorker(file: 'reader-worker' | 'writer-worker', name: string, workerData: unknown): Worker {
  // The build makes `.js` of the sources, but does not rewrite URLs.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new Worker(new URL(`./${file}.${extension}`, import.meta.url), { workerData, name });
}

/** Asks a thread to close its store, and waits for its end. */
export async function endWorker(worker: Worker): Promise<void> {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  worker.once('exit', () => resolve());
  worker.postMessage({ type: 'close' });
  const late = setTimeout(() => {
    // A thread blocked in the kernel cannot be stopped either, so its end is not waited for.
    void worker.terminate();
    resolve();
  }, CLOSE_TIMEOUT);
  await ended;
  clearTimeout(late);
}
