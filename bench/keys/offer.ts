import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export type Offered = {
  /** How many answers there were of each status. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Milliseconds of each answer, from the time that its request was due: a service that stalls cannot hide it. */
  readonly latencies: readonly number[];
};

/** Sends requests at a rate, whether or not earlier ones are answered, until the time is over. */
export async function offer(
  url: string,
  { perSecond, seconds, mint }: { readonly perSecond: number; readonly seconds: number; readonly mint: () => string },
): Promise<Offered> {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const statuses: Record<number, number> = {};
  const latencies: number[] = [];
  const open: Promise<void>[] = [];
  const begun = performance.now();
  const total = perSecond * seconds;
  const one = async (dueAt: number): Promise<void> => {
    const status = await send(url, agent, mint());
    statuses[status] = (statuses[status] ?? 0) + 1;
    latencies.push(performance.now() - dueAt);
  };
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - begun) * perSecond) / 1000) + 1);
    for (; sent < due; sent++) {
      const dueAt = begun + (sent * 1000) / perSecond;
      open.push(one(dueAt));
    }
    await sleep(1);
  }
  await Promise.all(open);
  agent.destroy();
  return { statuses, latencies };
}

const BODY = JSON.stringify({ database: 'orders', user: 'app' });

function send(url: string, agent: Agent, token: string): Promise<number> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': BODY.length,
  };
  return new Promise((resolve, reject) => {
    request(`${url}/v1/tokens`, { method: 'POST', agent, headers }, (response) => {
      response.on('end', () => resolve(response.statusCode ?? 0)).on('error', reject);
      response.resume();
    })
      .on('error', reject)
      .end(BODY);
  });
}

/** The latency that so many of a hundred answers are not above. */
export function percentile(latencies: readonly number[], percent: number): number {
  const sorted = latencies.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}
