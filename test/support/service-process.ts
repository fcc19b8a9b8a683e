import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SECRET_KEY } from './running-service.ts';

const program = fileURLToPath(new URL('../../bin/rds-token-vendor.mjs', import.meta.url));

export type Ended = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

/** Runs the program as a process of its own, with example AWS keys and nothing else in its environment but `env`. */
export function runProgram(
  t: TestContext,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
) {
  // Nobody listens there: example keys must reach no real AWS.
  const AWS_ENDPOINT_URL_STS = 'http://127.0.0.1:1';
  const aws = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: SECRET_KEY, AWS_ENDPOINT_URL_STS };
  const child = spawn(process.execPath, [program, ...args], { cwd, env: { PATH: '', ...aws, ...env } });
  t.after(() => child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => (stdout += String(text)));
  child.stderr.on('data', (text) => (stderr += String(text)));
  const ended = once(child, 'close').then(([status]): Ended => ({ status, stdout, stderr }));
  /** The address of the public port, once it is open. */
  const listening = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, found] = /"public_url":"([^"]+)"/.exec(line) ?? [];
      if (found !== undefined) resolve(found);
    });
    void ended.then((end) => reject(new Error(end.stderr)));
  });
  // Programs that end by themselves never listen, and nobody asks them to.
  listening.catch(() => undefined);
  return { child, ended, listening, stdout: () => stdout };
}
