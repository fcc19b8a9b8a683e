import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { medianOf, spreadOf } from '../median.ts';
import { configOf, newFolder, requestsOf } from './policy-folder.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/rds-token-vendor.mjs', import.meta.url));
const ENVIRONMENT = {
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
/** Between two requests, milliseconds. */
const EVERY_MS = 10;

/**
 * How long a change of very many grants takes to be in force, and what requests feel of it, in the program as users run
 * it. A request is sent every 10 ms, whether those before it were answered or not.
 */
export async function measureReload({
  many,
  rounds,
}: {
  readonly many: number;
  readonly rounds: number;
}): Promise<void> {
  const { folder, privateKey } = newFolder();
  const file = join(folder, 'config.yaml');
  const text = configOf('subject', many);
  writeFileSync(file, text);
  const [request] = await requestsOf(privateKey, [0]);
  if (request === undefined) throw new Error('there is no request');
  const child = spawn(process.execPath, [PROGRAM, '--config', file], {
    env: { ...process.env, ...ENVIRONMENT },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const said = { url: '', applied: 0 };
    createInterface({ input: child.stdout }).on('line', (line) => {
      said.url ||= /"public_url":"([^"]+)"/.exec(line)?.[1] ?? '';
      if (line.includes('another configuration is in force')) said.applied++;
    });
    while (said.url === '') await pause(20);
    const took: number[] = [];
    const longest: number[] = [];
    const statuses: Record<number, number> = {};
    for (let round = 1; round <= rounds; round++) {
      await pause(2000);
      const load = { isOn: true };
      const waits: number[] = [];
      const loading = sendUntil(load, async () => {
        const sent = performance.now();
        const headers = { authorization: request.authorization, 'content-type': 'application/json' };
        const response = await fetch(new URL('/v1/tokens', said.url), { method: 'POST', headers, body: request.body });
        await response.arrayBuffer();
        waits.push(performance.now() - sent);
        statuses[response.status] = (statuses[response.status] ?? 0) + 1;
      });
      writeFileSync(`${file}.new`, text.replace('name: grant-1\n', `name: changed-${round}\n`));
      const begun = performance.now();
      renameSync(`${file}.new`, file);
      while (said.applied < round) await pause(5);
      took.push(performance.now() - begun);
      load.isOn = false;
      await loading;
      longest.push(Math.max(...waits));
    }
    const ms = (figures: readonly number[]) => `${medianOf(figures).toFixed(0)} ms  (${spreadOf(figures, 0)})`;
    console.log(`a change of ${many} grants in the running program, ${rounds} times, a request every ${EVERY_MS} ms`);
    console.log(`  in force after          ${ms(took)}; goal: at most 2000 ms`);
    console.log(`  longest wait meanwhile  ${ms(longest)}, answers ${JSON.stringify(statuses)}`);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function sendUntil(load: { readonly isOn: boolean }, send: () => Promise<void>): Promise<void> {
  const sent: Promise<void>[] = [];
  while (load.isOn) {
    sent.push(send());
    await pause(EVERY_MS);
  }
  await Promise.all(sent);
}
