import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadConfig } from '../../src/config/load-config.ts';
import { authorize } from '../../src/issuance/authorize.ts';
import type { Caller } from '../../src/issuance/caller.ts';
import { compileGrants, type Grants } from '../../src/issuance/grants.ts';
import { IN_FLIGHT, measureService } from '../loaded-service.ts';
import { medianOf, spreadOf } from '../median.ts';
import { measureReload } from './measure-reload.ts';
import { configOf, type GrantKind, newFolder, requestsOf, subjectOf, USER } from './policy-folder.ts';

const FEW = 10;
/** Among very many grants, so many callers that what belongs to them is not all in the processor's caches. */
const CALLERS = 500;
const LOAD_ONCE = fileURLToPath(new URL('./load-once.ts', import.meta.url));
/** What the goal of loading is measured in. */
const LOAD_GOAL_MS = 1500;

type Sizes = { readonly many: number; readonly rounds: number; readonly seconds: number };

/** What a configuration of very many grants costs: at its load, and at each decision. */
export async function measurePolicy(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      grants: { type: 'string', default: '100000' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '8' },
    },
  });
  const sizes = { many: Number(values.grants), rounds: Number(values.rounds), seconds: Number(values.seconds) };
  measureLoading(sizes);
  measureDecisions(sizes);
  await measureTokens(sizes);
  await measureReload(sizes);
}

function measureLoading({ many, rounds }: Sizes): void {
  console.log(`loading and compiling ${many} grants, ${rounds} fresh processes each; goal: at most ${LOAD_GOAL_MS} ms`);
  for (const kind of ['subject', 'workload'] as const) {
    const { folder } = newFolder();
    const file = join(folder, 'config.yaml');
    const text = configOf(kind, many);
    writeFileSync(file, text);
    const figures = Array.from({ length: rounds }, () => {
      const printed = execFileSync(process.execPath, ['--expose-gc', LOAD_ONCE, file], { encoding: 'utf8' });
      const { milliseconds, grants, mib } = JSON.parse(printed);
      if (grants !== many) throw new Error(`${String(grants)} grants were loaded`);
      return { milliseconds: Number(milliseconds), mib: Number(mib) };
    });
    rmSync(folder, { recursive: true, force: true });
    const times = figures.map(({ milliseconds }) => milliseconds);
    const memory = medianOf(figures.map(({ mib }) => mib)).toFixed(0);
    const size = (text.length / 2 ** 20).toFixed(1);
    console.log(
      `  by ${kind.padEnd(8)}  ${medianOf(times).toFixed(0)} ms  (${spreadOf(times, 0)}), a file of ${size} MiB, ${memory} MiB kept`,
    );
  }
}

/** Decisions alone, in this process. */
function measureDecisions({ many, rounds }: Sizes): void {
  console.log(`one decision (authorize), ${FEW} against ${many} grants, ${rounds} rounds`);
  for (const kind of ['subject', 'workload', 'glob'] as const) {
    // Each glob is tried, so fewer show the slope, and none is looked up.
    const size = kind === 'glob' ? Math.min(many, 1000) : many;
    const grants = { few: compiled(kind, FEW), many: compiled(kind, size) };
    const times = kind === 'glob' ? 5_000 : 200_000;
    const few: number[] = [];
    const same: number[] = [];
    const spread: number[] = [];
    for (let round = 0; round < rounds + 1; round++) {
      few.push(microseconds(grants.few, callersAmong(FEW, FEW), times));
      same.push(microseconds(grants.many, callersAmong(size, FEW), times));
      spread.push(microseconds(grants.many, callersAmong(size, CALLERS), times));
    }
    const report = (figures: readonly number[], callers: number) => {
      // The first round is for the compiler.
      const ratios = figures.map((figure, round) => figure / (few[round] ?? Number.NaN)).slice(1);
      const micros = `${medianOf(figures.slice(1)).toFixed(2)} µs with ${size} of ${callers} callers`;
      console.log(`    ${micros}, ratio ${medianOf(ratios).toFixed(2)}  (${spreadOf(ratios, 2)})`);
    };
    console.log(`  by ${kind}: ${medianOf(few.slice(1)).toFixed(2)} µs with ${FEW} grants of ${FEW} callers`);
    report(same, FEW);
    report(spread, CALLERS);
  }
}

/** Callers at equal distances, each with a grant of its own. */
function callersAmong(grants: number, callers: number): readonly Caller[] {
  const count = Math.min(grants, callers);
  return Array.from({ length: count }, (_, number) => callerOf(Math.floor((number * grants) / count)));
}

function compiled(kind: GrantKind, size: number): Grants {
  const { folder } = newFolder();
  const file = join(folder, 'config.yaml');
  writeFileSync(file, configOf(kind, size));
  const { grants, catalog } = loadConfig(file);
  rmSync(folder, { recursive: true, force: true });
  return compileGrants(grants, catalog);
}

/** Of one decision, these callers in turn. */
function microseconds(grants: Grants, callers: readonly Caller[], times: number): number {
  const wanted = { database: 'orders', user: USER };
  const circumstances = { now: Date.now(), clientAddress: null };
  const begun = performance.now();
  for (let at = 0; at < times; at++) {
    const caller = callers[at % callers.length];
    if (caller === undefined || !authorize(caller, wanted, grants, circumstances).decided.ok)
      throw new Error('refused');
  }
  return ((performance.now() - begun) * 1000) / times;
}

function callerOf(index: number): Caller {
  return {
    issuer: 'cluster',
    subject: subjectOf(index),
    claims: { sub: subjectOf(index) },
    keptClaims: {},
    expiresAt: Date.now() + 3_600_000,
    workload: { namespace: `team-${index}`, serviceAccount: 'api' },
  };
}

/** Whole requests: verified, decided, signed, recorded. As many callers in both, so that grants are all that differs. */
async function measureTokens({ many, rounds, seconds }: Sizes): Promise<void> {
  const services = {
    few: await service(FEW),
    many: await service(many),
  };
  const work: Record<'few' | 'many', number[]> = { few: [], many: [] };
  const speed: Record<'few' | 'many', number[]> = { few: [], many: [] };
  for (let round = 0; round < rounds; round++) {
    for (const kind of round % 2 === 0 ? (['few', 'many'] as const) : (['many', 'few'] as const)) {
      const { folder, requests } = services[kind];
      const { perSecond, cpuPerToken } = await measureService(folder, 'durable', requests, seconds);
      work[kind].push(cpuPerToken);
      speed[kind].push(perSecond);
    }
  }
  for (const { folder } of Object.values(services)) rmSync(folder, { recursive: true, force: true });
  const ratios = work.many.map((figure, round) => figure / (work.few[round] ?? Number.NaN));
  const micros = (kind: 'few' | 'many') => `${(medianOf(work[kind]) * 1e6).toFixed(0)} µs`;
  console.log(`whole requests on one core, ${IN_FLIGHT} in flight, ${rounds} rounds of ${seconds} s, records durable`);
  console.log(`  processor time a token: ${micros('few')} with ${FEW} grants, ${micros('many')} with ${many}`);
  console.log(`  ratio                   ${medianOf(ratios).toFixed(3)}  (${spreadOf(ratios, 3)}); goal: at most 1.1`);
  console.log(`  tokens/s: ${medianOf(speed.few).toFixed(0)} and ${medianOf(speed.many).toFixed(0)}`);
}

async function service(size: number) {
  const { folder, privateKey } = newFolder();
  writeFileSync(join(folder, 'config.yaml'), configOf('subject', size));
  const callers = Array.from({ length: FEW }, (_, number) => Math.floor((number * size) / FEW));
  return { folder, requests: await requestsOf(privateKey, callers) };
}
