import { parentPort } from 'node:worker_threads';
import { ConfigError } from '../config/config-problem.ts';
import { type CheckOptions, checkConfig } from '../config/load-config.ts';
import type { CheckAnswer } from './check-thread.ts';

// The thread that reads and checks a configuration: for as long as very many grants take, requests would wait.
const port = parentPort;
if (port === null) throw new Error('check-worker.ts is started by check-thread.ts');
port.on('message', ({ path, options }: { readonly path: string; readonly options: CheckOptions }) => {
  port.postMessage(answer(path, options));
});

function answer(path: string, options: CheckOptions): CheckAnswer {
  try {
    return { type: 'checked', checked: checkConfig(path, options) };
  } catch (error) {
    if (error instanceof ConfigError) {
      const { problems, omitted, read } = error;
      return { type: 'refused', problems, omitted, read };
    }
    return { type: 'failed', message: error instanceof Error ? error.message : 'unknown error' };
  }
}
