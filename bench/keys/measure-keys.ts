import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { medianOf, spreadOf } from '../median.ts';
import { type BenchIdp, openBenchIdp } from './idp.ts';
import { type Offered, offer, percentile } from './offer.ts';

const SERVICE = fileURLToPath(new URL('../service.ts', import.meta.url));
/** No minute has more than two rotations. */
const ROTATION_S = 35;
const FLOOD_PER_SECOND = 10_000 / 60;

const config = (issuer: string) => `server: { port: 0, adminPort: 0 }
issuers: [{ name: idp, issuer: "${issuer}", audiences: [vendor], algorithms: [RS256] }]
databases:
  orders:
    engine: postgres
    region: us-west-2
    accountId: "123456789012"
    resourceId: cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ
    endpoints: { writer: "orders.cluster-abc123.us-west-2.rds.amazonaws.com:5432" }
grants:
  - name: services
    issuer: idp
    subjectGlob: "system:serviceaccount:payments:*"
    allow: [{ database: orders, users: [app] }]
limits: { perCaller: 1000000/s, perDatabase: 1000000/s, perAddress: 1000000/s }
audit: { diskReserve: 0MiB }
`;

/**
 * What good traffic feels of unknown kids, and of keys that rotate. The service is a process on one core (`taskset`),
 * with its durable audit store; the limits of senders are off, so that each unknown kid reaches the keys.
 */
export async function measureKeys(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rate: { type: 'string', default: '1000' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '20' },
    },
  });
  const rate = Number(values.rate);
  const seconds = Number(values.seconds);
  const rotationSeconds = Math.max(60, seconds);
  const idp = await openBenchIdp(Math.ceil(rotationSeconds / ROTATION_S) + 1);
  const folder = mkdtempSync(join(tmpdir(), 'rtv-bench-'));
  writeFileSync(join(folder, 'config.yaml'), config(idp.issuer));
  const command = ['-c', '0', process.execPath, SERVICE, folder, 'durable'];
  const child = spawn('taskset', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    const url = String(line);
    await offer(url, { perSecond: rate, seconds: 5, mint: idp.mint });
    await measureFlood(url, idp, { rate, seconds, rounds: Number(values.rounds) });
    await measureRotation(url, idp, { rate, seconds: rotationSeconds });
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
    idp.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureFlood(
  url: string,
  idp: BenchIdp,
  { rate, seconds, rounds }: { readonly rate: number; readonly seconds: number; readonly rounds: number },
): Promise<void> {
  const quiet: number[] = [];
  const flooded: number[] = [];
  const ratios: number[] = [];
  const answers: Record<number, number> = {};
  const good = () => offer(url, { perSecond: rate, seconds, mint: idp.mint });
  const keysBefore = idp.keyRequests();
  const begun = performance.now();
  for (let round = 0; round < rounds; round++) {
    for (const kind of round % 2 === 0 ? (['quiet', 'flooded'] as const) : (['flooded', 'quiet'] as const)) {
      if (kind === 'quiet') quiet.push(percentile(onlyIssued(await good()), 99));
      else {
        const flood = offer(url, { perSecond: FLOOD_PER_SECOND, seconds, mint: idp.mintUnknown });
        flooded.push(percentile(onlyIssued(await good()), 99));
        for (const [status, count] of Object.entries((await flood).statuses)) {
          answers[Number(status)] = (answers[Number(status)] ?? 0) + count;
        }
      }
    }
    ratios.push((flooded.at(-1) ?? Number.NaN) / (quiet.at(-1) ?? Number.NaN));
  }
  const minutes = (performance.now() - begun) / 60_000;
  const ms = (figures: readonly number[]) => `${medianOf(figures).toFixed(2)} ms  (${spreadOf(figures, 2)})`;
  console.log(`p99 of ${rate} tokens/s, ${rounds} rounds of ${seconds} s each way`);
  console.log(`  alone                                 ${ms(quiet)}`);
  console.log(`  beside 10,000 unknown kids a minute   ${ms(flooded)}`);
  console.log(`  ratio  ${medianOf(ratios).toFixed(2)}  (${spreadOf(ratios, 2)}); goal: at most 1.5`);
  console.log(`  the flood was answered ${JSON.stringify(answers)}`);
  const loads = idp.keyRequests() - keysBefore;
  console.log(
    `  the issuer was asked for its keys ${loads} times in ${minutes.toFixed(1)} minutes, refreshes included`,
  );
}

/** Rotates, and uses the new key in the same millisecond. */
async function measureRotation(
  url: string,
  idp: BenchIdp,
  { rate, seconds }: { readonly rate: number; readonly seconds: number },
): Promise<void> {
  // The loads that the flood has used up come back first.
  await new Promise((resolve) => setTimeout(resolve, 60_000));
  let rotations = 0;
  const rotate = () => {
    idp.rotate();
    rotations++;
  };
  rotate();
  const timer = setInterval(rotate, ROTATION_S * 1000);
  const { statuses, latencies } = await offer(url, { perSecond: rate, seconds, mint: idp.mint });
  clearInterval(timer);
  console.log(`${rate} tokens/s for ${seconds} s with ${rotations} key rotations, new keys used at once`);
  console.log(`  answers ${JSON.stringify(statuses)}, p99 ${percentile(latencies, 99).toFixed(2)} ms; goal: no 401`);
}

function onlyIssued({ statuses, latencies }: Offered): readonly number[] {
  if (Object.keys(statuses).join(',') !== '201') throw new Error(`not all were issued: ${JSON.stringify(statuses)}`);
  return latencies;
}
