import { rmSync } from 'node:fs';
import { IN_FLIGHT, measureService } from '../loaded-service.ts';
import { medianOf, spreadOf } from '../median.ts';
import { prepareService } from './service-folder.ts';

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
      const { perSecond, cpuPerToken } = await measureService(folder, kind, requests, options.seconds);
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
