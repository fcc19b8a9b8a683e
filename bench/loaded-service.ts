import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';

/** A request for a token. */
export type BenchRequest = { readonly authorization: string; readonly body: string };

/** What one load on the service gave. */
export type Measured = {
  readonly perSecond: number;
  /** Seconds of processor time, of all threads. */
  readonly cpuPerToken: number;
};

export const IN_FLIGHT = 64;
const SERVICE = fileURLToPath(new URL('./service.ts', import.meta.url));

/**
 * Starts the service in a process of its own on one core (`taskset`), and has it answer these requests in turn. Each answer
 * must be 201.
 *
 * @param kind `durable` or `discard`: what becomes of audit records
 */
export async function measureService(
  folder: string,
  kind: 'durable' | 'discard',
  requests: readonly BenchRequest[],
  seconds: number,
): Promise<Measured> {
  const command = ['-c', '0', process.execPath, SERVICE, folder, kind];
  const child = spawn('taskset', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [url] = await once(createInterface({ input: child.stdout }), 'line');
    await load(String(url), requests, 2);
    const before = cpuSeconds(child.pid);
    const perSecond = await load(String(url), requests, seconds);
    return { perSecond, cpuPerToken: (cpuSeconds(child.pid) - before) / (perSecond * seconds) };
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
}

/** User and system time of all threads of a process (proc_pid_stat(5)); it tells of work on a machine that is shared. */
function cpuSeconds(pid: number | undefined): number {
  const fields =
    readFileSync(`/proc/${pid ?? 0}/stat`, 'utf8')
      .split(') ')
      .at(-1)
      ?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function load(url: string, requests: readonly BenchRequest[], seconds: number): Promise<number> {
  const result = await autocannon({
    url,
    connections: IN_FLIGHT,
    duration: seconds,
    requests: requests.map(({ authorization, body }) => ({
      method: 'POST',
      path: '/v1/tokens',
      headers: { authorization, 'content-type': 'application/json' },
      body,
    })),
  });
  const { '2xx': good, non2xx, errors } = result;
  if (non2xx > 0 || errors > 0 || result.statusCodeStats?.['201']?.count !== good) {
    throw new Error(`the load is not honest: ${non2xx} answers were no tokens, ${errors} requests failed`);
  }
  return good / result.duration;
}
