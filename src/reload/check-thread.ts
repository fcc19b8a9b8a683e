import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { ConfigError, type ConfigFiles, type ConfigProblem } from '../config/config-problem.ts';
import { type CheckedConfig, type CheckOptions, completeConfig, type LoadedConfig } from '../config/load-config.ts';

/** What the thread gives back. */
export type CheckAnswer =
  | { readonly type: 'checked'; readonly checked: CheckedConfig }
  | {
      readonly type: 'refused';
      readonly problems: readonly ConfigProblem[];
      readonly omitted: number;
      readonly read: ConfigFiles | undefined;
    }
  | { readonly type: 'failed'; readonly message: string };

/** Loads configurations in a thread. One at a time. */
export type ConfigLoader = {
  /** As `loadConfig`. @throws {ConfigError} with every problem */
  load(path: string): Promise<LoadedConfig>;
  close(): Promise<void>;
};

/** A thread that took longer is kept: what it has learned makes the next time much shorter. Milliseconds. */
const KEPT_FROM_MS = 1000;

/** Makes the loader. It has no thread before the first load. */
export function createConfigLoader(options: CheckOptions): ConfigLoader {
  let worker: Worker | null = null;

  async function check(path: string): Promise<CheckAnswer> {
    const thread = (worker ??= open());
    const ended = new AbortController();
    try {
      thread.postMessage({ path, options });
      const begun = performance.now();
      // Rejects when the thread fails.
      const [answer]: CheckAnswer[] = await Promise.race([
        once(thread, 'message', { signal: ended.signal }),
        once(thread, 'exit', { signal: ended.signal }).then(() => [{ type: 'failed', message: ENDED } as const]),
      ]);
      if (performance.now() - begun < KEPT_FROM_MS) await end();
      return answer ?? { type: 'failed', message: ENDED };
    } catch (error) {
      await end();
      throw error;
    } finally {
      ended.abort();
    }
  }

  /** One that ends while nobody waits for it is not used again. */
  function open(): Worker {
    const thread = startThread();
    // Without a listener the error would end the process; `exit` follows it.
    thread.on('error', () => undefined);
    thread.once('exit', () => {
      if (worker === thread) worker = null;
    });
    return thread;
  }

  async function end(): Promise<void> {
    const thread = worker;
    worker = null;
    await thread?.terminate();
  }

  return {
    async load(path) {
      const answer = await check(path);
      if (answer.type === 'failed') throw new Error(answer.message);
      if (answer.type === 'refused') throw new ConfigError(answer.problems, answer.omitted, answer.read);
      // Requests get their turn between what was received and what is made of it.
      await nextTurn();
      return completeConfig(answer.checked);
    },
    close: end,
  };
}

const ENDED = 'the thread that reads the configuration ended';

function startThread(): Worker {
  // The build makes `.js` of the sources, but does not rewrite URLs.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const worker = new Worker(new URL(`./check-worker.${extension}`, import.meta.url), { name: 'config-check' });
  worker.unref();
  return worker;
}
