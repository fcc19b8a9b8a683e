import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { medianOf, spreadOf } from '../median.ts';
import { type BenchRequest, prepareService } from './service-folder.ts';

const IN_FLIGHT = 64;
const SERVICE = fileURLToPath(new URL('./service.ts', import.meta.url));

/**
 * Tokens a second of the whole service on one core (`taskset`), its audit threads included, at 64 requests in flight:
 * with the durable SQLite store, and with one that discards records. The two take turns; each answer must be 201.
 */
export async function measureThroughput(options: { readonly rounds: number; readonly seconds: number }): Promise<void> {
  const { folder, requests } = await prepareService();
  const ratios: number[] = [];
  const work: Record<'discard' | 'durable', number[]> = { discard: [], durable: [] };
  const workRatios: number[] = [];
  const figures: Record<'discard' | 'durable', number[]> = { discard: [], durable: [] };
  for (let round = 0; round < options.rounds; round++) {
    const order = round % 2 === 0 ? (['discard', 'durable'] as const) : (['durable', 'discard'] as const);
    for (const kind of order) {
      const { perSecond, cpuPerToken } = await measureOnce(folder, kind, requests, options.seconds);
      figures[kind].push(perSecond);
      work[kind].push(cpuPerToken);
    }
    workRatios.push((work.discard.at(-1) ?? 0) / (work.durable.at(-1) ?? 1));
    ratios.push((figures.durable.at(-1) ?? 0) / (figures.discard.at(-1) ?? 1));
  }
  rmSync(folder, { recursive: true, force: true });
  console.log(`tokens/s on one core, ${IN_FLIGHT} in flight, ${options.rounds} rounds of ${options.seconds} s`);
  console.log(`  audit discarded        ${medianOf(figures.discard).toFixed(0)}  (${spreadOf(figures.discard, 0)})`);
  console.log(`  SQLite, durable        ${medianOf(figures.durable).toFixed(0)}  (${spreadOf(figures.durable, 0)})`);
  console.log(
    `  durable / discarded    ${medianOf(ratios).toFixed(3)}  (${spreadOf(ratios, 3)}); goal: at least 0.850`,
  );
  const micros = (kind: 'discard' | 'durable') => (medianOf(work[kind]) * 1e6).toFixed(0);
  console.log(`  processor time a token: ${micros('discard')} µs discarded, ${micros('durable')} µs durable`);
  console.log(
    `  discarded / durable    ${medianOf(workRatios).toFixed(3)}  (${spreadOf(workRatios, 3)}) by processor time`,
  );
}

async function measureOnce(
  folder: string,
  kind: string,
  requests: readonly BenchRequest[],
  seconds: number,
): Promise<{ readonly perSecond: number; readonly cpuPerToken: number }> {
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
