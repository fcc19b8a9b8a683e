import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY } from './settings.ts';

/** The real service, as a process of its own. */
export type SandboxService = {
  /** Asks it to drain and waits for its end; gives its exit status. */
  stop(): Promise<number | null>;
};

const PROGRAM = fileURLToPath(new URL('../bin/rds-token-vendor.mjs', import.meta.url));
const START_LIMIT_MS = 15_000;

export type ServiceOptions = { readonly state: string; readonly adminUrl: string; readonly stsUrl: string };

/** Starts `rds-token-vendor --config STATE/config.yaml` with example AWS credentials, and waits until it is ready. */
export async function startService({ state, adminUrl, stsUrl }: ServiceOptions): Promise<SandboxService> {
  const logFile = join(state, 'service.log');
  const log = openSync(logFile, 'w', 0o600);
  const child = spawn(process.execPath, [PROGRAM, '--config', join(state, 'config.yaml')], {
    stdio: ['ignore', log, log],
    // Nothing else of the environment: neither real AWS credentials nor a proxy may reach the sandbox.
    env: {
      PATH: process.env['PATH'],
      AWS_ACCESS_KEY_ID: ACCESS_KEY_ID,
      AWS_SECRET_ACCESS_KEY: SECRET_ACCESS_KEY,
      AWS_ENDPOINT_URL_STS: stsUrl,
    },
  });
  closeSync(log);
  let running = true;
  const ended = once(child, 'exit').then(([status]: (number | null)[]) => {
    running = false;
    return status ?? null;
  });

  async function stop(): Promise<number | null> {
    if (running) child.kill('SIGTERM');
    return ended;
  }

  const giveUpAt = Date.now() + START_LIMIT_MS;
  while (!(await isReady(adminUrl))) {
    if (!running || Date.now() > giveUpAt) {
      await stop();
      throw new Error(`The service did not start:\n${readFileSync(logFile, 'utf8')}`);
    }
    await sleep(50);
  }
  return { stop };
}

async function isReady(adminUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${adminUrl}/readyz`)).ok;
  } catch (error) {
    // Not listening yet.
    if (error instanceof TypeError) return false;
    throw error;
  }
}
