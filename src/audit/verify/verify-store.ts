import { logOrigin } from '../chain/log-origin.ts';
import type { StoreReader } from '../store.ts';
import type { CheckpointKeys } from './checkpoint-keys.ts';
import type { Finding } from './finding.ts';
import type { PrintedCheckpoints } from './printed-checkpoints.ts';
import { type ChainVerdict, RetiredMeanwhile, verifyChain } from './verify-chain.ts';

/** What the verification of a store found. */
export type StoreVerdict = {
  readonly good: boolean;
  /** One for each instance that is there or ought to be, in the order of their names. */
  readonly chains: readonly ChainVerdict[];
  /** What belongs to no instance. */
  readonly findings: readonly Finding[];
};

/** A retirement works in slices, and each moves the beginning of a chain. */
const MOST_ATTEMPTS = 20;

/**
 * Verifies all chains of a store, with checkpoints that were read before it. The store may be in use meanwhile. Memory is
 * bounded but for the printed checkpoints. Rejects with an `Error` when the store cannot be read.
 *
 * @param retiredBefore retired records must all be of before this time, milliseconds since the epoch: whoever writes to the
 *   store could otherwise remove the beginning of a chain as a retirement does.
 */
export async function verifyStore(
  reader: StoreReader,
  keys: CheckpointKeys,
  printed: PrintedCheckpoints,
  retiredBefore: number = Number.POSITIVE_INFINITY,
): Promise<StoreVerdict> {
  const there = (await reader.chains()).map(({ instance }) => instance);
  const instances = [...new Set([...there, ...printed.instances])].sort();
  const chains: ChainVerdict[] = [];
  for (const instance of instances) {
    chains.push(await verifyInstance(reader, keys, printed, retiredBefore, instance));
  }
  const faults = (await reader.faults()).map((says): Finding => ({ kind: 'store_fault', says }));
  const findings = [...printed.strayFindings, ...faults];
  return { good: findings.length === 0 && chains.every(({ findingCount }) => findingCount === 0), chains, findings };
}

async function verifyInstance(
  reader: StoreReader,
  keys: CheckpointKeys,
  printed: PrintedCheckpoints,
  retiredBefore: number,
  instance: string,
): Promise<ChainVerdict> {
  for (let attempt = 1; ; attempt += 1) {
    const chain = (await reader.chains()).find((present) => present.instance === instance);
    if (chain === undefined) return missingChain(instance, printed);
    try {
      return await verifyChain(reader, {
        chain,
        key: keys.keyOf(logOrigin(instance)),
        printed: printed.of(instance),
        printedFindings: printed.findings(instance),
        retiredBefore,
      });
    } catch (error) {
      if (!(error instanceof RetiredMeanwhile) || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}

function missingChain(instance: string, printed: PrintedCheckpoints): ChainVerdict {
  const last = printed.of(instance).at(-1);
  const gone: Finding[] =
    last === undefined || last.size === 0
      ? []
      : [{ kind: 'instance_missing', size: last.size, place: { type: 'printed', at: last.at } }];
  const findings = [...printed.findings(instance), ...gone];
  return {
    ...{ instance, records: 0, first: null, last: null, retired: 0, checkpoints: 0, lastCheckpointAt: null },
    ...{ printedCheckpoints: 0, findings, findingCount: findings.length },
  };
}
