import { EMPTY_FRONTIER, type Frontier, rootOf, withLeaves } from '../chain/frontier.ts';
import type { ChainHead, StoredRecord, StoreReader } from '../store.ts';
import { checkRecord } from './check-record.ts';
import type { CheckpointQueue } from './checkpoint-queue.ts';
import type { Finding } from './finding.ts';

/** Records read at a time: what bounds the memory of a verification. */
const CHUNK = 2_000;

/** So many reads in a row that fail are the store's fault, not a record's. */
const MOST_FAILURES = 10;

/** Reads the records of one instance in their order, each once. */
export type ChainWalk = {
  /** Reads on to this sequence number, or to where records end. */
  readUpTo(target: number): Promise<void>;
  /** Of the last record that was read. */
  sequence(): number;
  /** Of the last record that was read, or null. */
  hash(): Buffer | null;
  /** How many were read, and the first of them; null when there was none. */
  records(): number;
  /** How many could not be read. */
  unreadable(): number;
  first(): number | null;
  /** Looks for a record behind a sequence number, without reading it as one of the chain. */
  recordBehind(sequence: number): Promise<number | null>;
};

export type ChainWalkOptions = {
  readonly reader: Pick<StoreReader, 'records'>;
  readonly instance: string;
  /** Where the chain begins. */
  readonly anchor: ChainHead | null;
  readonly checkpoints: CheckpointQueue;
  readonly onFinding: (finding: Finding) => void;
  /** Records are missing where they were last seen to be: the time to look whether they were retired meanwhile. */
  readonly onMissing: () => Promise<void>;
};

export function createChainWalk(options: ChainWalkOptions): ChainWalk {
  const { reader, instance, anchor, checkpoints, onFinding, onMissing } = options;
  let sequence = anchor?.sequence ?? 0;
  let hash: Buffer | null = anchor?.hash ?? null;
  let previousHash: string | null | undefined = hash?.toString('hex') ?? null;
  /** Null once records are missing: without them there is no root to compare. */
  let tree: Frontier | null = anchor?.frontier ?? EMPTY_FRONTIER;
  let leaves: Buffer[] = [];
  let nextSize = 0;
  let records = 0;
  let first: number | null = null;
  let failures = 0;
  let unreadable = 0;

  async function readChunk(after: number, limit: number): Promise<readonly StoredRecord[]> {
    try {
      return await reader.records(instance, after, limit);
    } catch (error) {
      return limit === 1 ? passUnreadable(after + 1, error) : readChunk(after, 1);
    }
  }

  /** A record that the store itself cannot read: the one behind the last, as far as can be known. */
  function passUnreadable(at: number, error: unknown): Promise<readonly StoredRecord[]> {
    failures += 1;
    unreadable += 1;
    if (failures > MOST_FAILURES) throw error;
    onFinding({
      kind: 'record_unreadable',
      sequence: at,
      reason: error instanceof Error ? error.message : String(error),
    });
    tree = null;
    previousHash = undefined;
    sequence = at;
    return readChunk(at, 1);
  }

  function growTree(): void {
    if (tree !== null) tree = withLeaves(tree, leaves);
    leaves = [];
  }

  async function passCheckpoints(): Promise<void> {
    growTree();
    await checkpoints.pass(sequence, tree === null ? null : rootOf(tree).toString('base64'));
    nextSize = await checkpoints.nextSize();
  }

  async function take(record: StoredRecord): Promise<void> {
    if (record.sequence <= sequence) {
      return onFinding({ kind: 'record_out_of_order', sequence: record.sequence, after: sequence });
    }
    if (record.sequence > sequence + 1) {
      await onMissing();
      onFinding({ kind: 'records_missing', from: sequence + 1, to: record.sequence - 1 });
      growTree();
      tree = null;
      previousHash = undefined;
    }
    const finding = checkRecord(record, { instance, sequence: record.sequence, previousHash });
    if (finding !== null) onFinding(finding);
    ({ sequence, hash } = record);
    previousHash = hash.toString('hex');
    records += 1;
    first ??= sequence;
    leaves.push(hash);
    if (sequence >= nextSize) await passCheckpoints();
  }

  return {
    async readUpTo(target) {
      while (sequence < target) {
        const before = sequence;
        await passCheckpoints();
        const chunk = await readChunk(sequence, Math.min(CHUNK, target - sequence));
        for (const record of chunk) if (record.sequence <= target) await take(record);
        failures = 0;
        if (sequence === before) break;
      }
      await passCheckpoints();
    },
    sequence: () => sequence,
    hash: () => hash,
    records: () => records,
    unreadable: () => unreadable,
    first: () => first,
    async recordBehind(after) {
      const [record] = await readChunk(after, 1);
      return record?.sequence ?? null;
    },
  };
}
