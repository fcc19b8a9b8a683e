import type { KeyObject } from 'node:crypto';
import { rootOf } from '../chain/frontier.ts';
import { logOrigin } from '../chain/log-origin.ts';
import type { ChainHead, StoredChain, StoreReader } from '../store.ts';
import { createChainWalk } from './chain-walk.ts';
import { createCheckpointQueue } from './checkpoint-queue.ts';
import type { Finding } from './finding.ts';
import { createFindingsList } from './findings-list.ts';
import { createKeptCheckpoints, type KeptCheckpoints, openAt } from './kept-checkpoints.ts';
import type { ExpectedRoot } from './printed-checkpoints.ts';

/** How often records that were written meanwhile are verified too: a busy store is never at its end. */
const ROUNDS = 3;

/** What the verification of one instance's chain found. */
export type ChainVerdict = {
  readonly instance: string;
  /** How many records were read, and the sequence numbers of the first and last that are there; null without any. */
  readonly records: number;
  readonly first: number | null;
  readonly last: number | null;
  /** Records 1 to this one are retired; 0 when none are. */
  readonly retired: number;
  /** How many signed checkpoints of the store fit the records, and the signing time of the last, ms since the epoch. */
  readonly checkpoints: number;
  readonly lastCheckpointAt: number | null;
  /** How many checkpoints that left the machine fit. */
  readonly printedCheckpoints: number;
  /** The first ones of them. */
  readonly findings: readonly Finding[];
  readonly findingCount: number;
};

/** The chain that was being verified began to be retired meanwhile: it is to be verified again. */
export class RetiredMeanwhile extends Error {}

export type ChainToVerify = {
  readonly chain: StoredChain;
  /** Null when none is known. */
  readonly key: KeyObject | null;
  /** In the order of their sizes. */
  readonly printed: readonly ExpectedRoot[];
  readonly printedFindings: readonly Finding[];
  /** Milliseconds since the epoch. */
  readonly retiredBefore: number;
};

/**
 * Verifies the chain of one instance, also while it grows. Rejects with `RetiredMeanwhile`, or with what is wrong with
 * the store as a whole.
 */
export async function verifyChain(reader: StoreReader, toVerify: ChainToVerify): Promise<ChainVerdict> {
  const { chain, key, printed } = toVerify;
  const { instance, anchor } = chain;
  const origin = logOrigin(instance);
  const start = anchor?.sequence ?? 0;
  const findings = createFindingsList();
  const kept =
    key === null ? NONE_KEPT : createKeptCheckpoints(reader, { instance, origin, key }, start - 1, findings.add);

  async function presentChain(): Promise<StoredChain | undefined> {
    return (await reader.chains()).find((present) => present.instance === instance);
  }

  async function requireSameBeginning(): Promise<void> {
    if (((await presentChain())?.anchor?.sequence ?? 0) > start) throw new RetiredMeanwhile();
  }

  async function checkBeginning({ sequence, frontier }: ChainHead): Promise<void> {
    const checkpoint = await kept.peek();
    if (checkpoint?.size === sequence) {
      kept.take();
      if (checkpoint.time >= toVerify.retiredBefore) {
        findings.add({ kind: 'retired_early', to: sequence, signedAt: checkpoint.time });
      }
      if (frontier.size === sequence && checkpoint.root.equals(rootOf(frontier))) return;
    } else await requireSameBeginning();
    findings.add({ kind: 'beginning_cut', to: sequence, hasCheckpoint: checkpoint?.size === sequence });
  }

  for (const finding of toVerify.printedFindings) findings.add(finding);
  const isKnown = toVerify.printedFindings.some(({ kind }) => kind === 'key_unknown');
  if (key === null && !isKnown) findings.add({ kind: 'key_unknown', origin });
  if (key !== null && anchor !== null) await checkBeginning(anchor);

  const checkpoints = createCheckpointQueue(kept, printed, start, findings.add);
  const walk = createChainWalk({
    ...{ reader, instance, anchor, checkpoints },
    onFinding: findings.add,
    onMissing: requireSameBeginning,
  });

  async function readToHead(head: NonNullable<StoredChain['head']>): Promise<number> {
    const opened = key === null ? null : openAt(head.checkpoint, head.sequence, { origin, key }, { type: 'head' });
    if (opened !== null && 'kind' in opened) findings.add(opened);
    else if (opened !== null) checkpoints.expectHead(opened);
    await walk.readUpTo(head.sequence);
    const isSame = walk.hash()?.equals(head.hash ?? Buffer.alloc(0)) ?? head.hash === null;
    if (walk.sequence() === head.sequence && !isSame) findings.add({ kind: 'head_wrong', sequence: head.sequence });
    if (walk.sequence() < head.sequence) {
      await requireSameBeginning();
      const isSigned = opened === null || !('kind' in opened);
      if (isSigned)
        findings.add({ kind: 'tail_cut', from: walk.sequence() + 1, to: head.sequence, place: { type: 'head' } });
    }
    return head.sequence;
  }

  /** Records and checkpoints behind the end that is on record. The end is read after them: a store in use has moved it. */
  async function checkBeyond(end: number): Promise<void> {
    const behind = await walk.recordBehind(Math.max(end, walk.sequence()));
    const beyond = await checkpoints.beyond();
    const present = (await presentChain())?.head?.sequence ?? 0;
    const there = walk.sequence();
    if (beyond.kept > Math.max(there, end, present)) {
      findings.add({ kind: 'tail_cut', from: there + 1, to: beyond.kept, place: { type: 'kept' } });
    }
    if (beyond.printed !== null && beyond.printed.size > there) {
      const place = { type: 'printed', at: beyond.printed.at } as const;
      findings.add({ kind: 'tail_cut', from: there + 1, to: beyond.printed.size, place });
    }
    if (behind !== null && behind <= there)
      return findings.add({ kind: 'record_out_of_order', sequence: behind, after: there });
    if (behind === null || behind <= present) return;
    await walk.readUpTo(Infinity);
    findings.add({ kind: 'records_uncovered', from: behind, to: walk.sequence() });
  }

  /** What `list` shows and the chain does not have would be believed, and never be found in the chain. */
  async function checkCounts(): Promise<void> {
    const before = await reader.count(instance, null, start);
    const to = walk.sequence();
    const shown = await reader.count(instance, start, to);
    const read = walk.records() + walk.unreadable();
    if (before === 0 && shown === read) return;
    await requireSameBeginning();
    if (before > 0) findings.add({ kind: 'records_before_beginning', count: before, beginning: start + 1 });
    if (shown !== read) findings.add({ kind: 'records_unaccounted', to, shown, read });
  }

  let { head } = chain;
  if (head === null) {
    findings.add({ kind: 'head_missing' });
    await walk.readUpTo(Infinity);
    const covered = checkpoints.confirmed().lastSize;
    const last = walk.sequence();
    if (key !== null && last > covered) findings.add({ kind: 'records_uncovered', from: covered + 1, to: last });
    await checkBeyond(last);
  } else {
    let end = await readToHead(head);
    for (let round = 0; round < ROUNDS && walk.sequence() === end; round += 1) {
      head = (await presentChain())?.head ?? null;
      if (head === null || head.sequence <= end) break;
      end = await readToHead(head);
    }
    await checkBeyond(end);
  }
  await checkCounts();
  checkpoints.end();

  const confirmed = checkpoints.confirmed();
  const records = walk.records();
  return {
    instance,
    records,
    first: walk.first(),
    last: records === 0 ? null : walk.sequence(),
    retired: start,
    checkpoints: confirmed.store,
    lastCheckpointAt: confirmed.lastTime,
    printedCheckpoints: confirmed.printed,
    findings: findings.shown(),
    findingCount: findings.count(),
  };
}

const NONE_KEPT: KeptCheckpoints = { peek: async () => null, take: () => undefined };
