import { firstAuditIdAt } from '../../issuance/audit-id.ts';
import { rootIn } from '../chain/checkpoint.ts';
import { packFrontier, rootOf, withLeaves } from '../chain/frontier.ts';
import type { ChainHead } from '../store.ts';
import { type ChainRecords, createChainRecords } from './chain-records.ts';
import type { Query, Row } from './connection.ts';
import { anchorOf, START } from './heads.ts';
import { dropEmptyPartitions, type Partition } from './partitions.ts';
import { LOCK_CLASS, LOCKS } from './schema.ts';
import { bytesOf, textOrNull } from './values.ts';

/** How long one slice goes on beginning steps; the last one adds its own time. Milliseconds. */
const SLICE = 25;

/** Records of one step: about 20 ms. More only where kept checkpoints are further apart. */
const STEP = 1_000;
/** Where kept checkpoints are further apart than this, some were taken away, and the records stay. */
const MOST_RECORDS = 20_000;

/** Removes the records of all instances that are old enough, in slices. */
export type Retirement = {
  /** True when more is left. `retireBefore`: milliseconds since the epoch. */
  slice(query: Query, partitions: readonly Partition[], retireBefore: number): Promise<boolean>;
};

/** One look at all instances, and then at the partitions. */
type Round = {
  readonly query: Query;
  /** Ids below it are old enough. */
  readonly cut: string;
  readonly records: ChainRecords;
  /** Instances still to be looked at. */
  readonly instances: string[];
  /** What was wrong with chains, which stay. */
  readonly findings: string[];
};

export function createRetirement(): Retirement {
  let current: Round | null = null;

  async function work(query: Query, partitions: readonly Partition[], cut: string): Promise<boolean> {
    const end = performance.now() + SLICE;
    // After a reconnect nothing that was begun is known to be as it was.
    if (current?.query !== query) current = null;
    const round = (current ??= await beginRound(query, partitions, cut));
    for (let [instance] = round.instances; instance !== undefined; [instance] = round.instances) {
      if (!(await retireStep(round, instance))) round.instances.shift();
      if (performance.now() >= end) return true;
    }
    current = null;
    const more = await dropEmptyPartitions(query, partitions, round.cut, end);
    if (!more && round.findings.length > 0) throw new Error(round.findings.join('; '));
    return more;
  }

  return {
    async slice(query, partitions, retireBefore) {
      const lock = `(${LOCK_CLASS}, ${LOCKS.retire})`;
      const [row] = await query({ text: `SELECT pg_try_advisory_lock${lock} AS ours` });
      if (row?.['ours'] !== true) return false;
      try {
        return await work(query, partitions, firstAuditIdAt(retireBefore));
      } catch (error) {
        current = null;
        throw error;
      } finally {
        // A connection that is gone has no lock any more.
        await query({ text: `SELECT pg_advisory_unlock${lock}` }).catch(() => undefined);
      }
    },
  };
}

async function beginRound(query: Query, partitions: readonly Partition[], cut: string): Promise<Round> {
  const old = partitions.filter(({ range }) => range === null || range.from < cut);
  const records = createChainRecords(query, 'sequence, id, hash', async () => old);
  return { query, cut, records, instances: await instancesBefore(query, cut), findings: [] };
}

async function instancesBefore(query: Query, cut: string): Promise<string[]> {
  const text = 'SELECT instance FROM rtv_audit.heads WHERE oldest < $1 ORDER BY oldest';
  return (await query({ text, values: [cut] })).map(({ instance }) => String(instance));
}

/** Moves the anchor of a chain to a kept checkpoint and removes the records before it; false when there is none to move to. */
async function retireStep({ query, cut, records, findings }: Round, instance: string): Promise<boolean> {
  const [head] = await query({ text: 'SELECT * FROM rtv_audit.heads WHERE instance = $1', values: [instance] });
  if (head === undefined) return false;
  const anchor = anchorOf(head) ?? START;
  const checkpoints = await checkpointsAfter(query, instance, anchor.sequence, head);
  const first = checkpoints.keys().next().value ?? 0;
  const most = Math.min(Math.max(first - anchor.sequence, STEP), MOST_RECORDS);
  const rows = await records.after(instance, anchor.sequence, most);
  // The chain's intact beginning that is old enough. What is not intact stays, so that it can be seen.
  const end = rows.findIndex(
    ({ sequence, id }, at) => Number(sequence) !== anchor.sequence + at + 1 || String(id) >= cut,
  );
  const retirable = end === -1 ? rows : rows.slice(0, end);
  const size = Math.max(...[...checkpoints.keys()].filter((each) => each <= anchor.sequence + retirable.length));
  const note = checkpoints.get(size);
  if (note === undefined) return false;
  const removed = retirable.slice(0, size - anchor.sequence);
  const after = anchorAfter(anchor, removed);
  if (!rootIn(note).equals(rootOf(after.frontier))) {
    findings.push(
      `records of ${instance} up to ${size} are not those of its checkpoint and stay: verify the audit trail`,
    );
    return false;
  }
  const next = textOrNull(rows[removed.length]?.['id']) ?? cut;
  return await moveAnchor(query, instance, anchor, after, note, removed, next);
}

function anchorAfter(anchor: ChainHead, rows: readonly Row[]): ChainHead {
  const hashes = rows.map(({ hash }) => bytesOf(hash));
  const sequence = anchor.sequence + rows.length;
  return { sequence, hash: hashes.at(-1) ?? anchor.hash, frontier: withLeaves(anchor.frontier, hashes) };
}

/** Signed notes by the number of records they cover. That of the head counts: a dead instance's last one may be no other. */
async function checkpointsAfter(
  query: Query,
  instance: string,
  after: number,
  head: Row,
): Promise<Map<number, string>> {
  const rows = await query({
    text: 'SELECT size, note FROM rtv_audit.checkpoints WHERE instance = $1 AND size > $2 ORDER BY size LIMIT 50',
    values: [instance, after],
  });
  const notes = new Map(rows.map(({ size, note }) => [Number(size), String(note)]));
  const last = Number(head['sequence']);
  if (last > after) notes.set(last, notes.get(last) ?? String(head['checkpoint']));
  return notes;
}

/**
 * One statement: a chain never lacks records that its anchor does not stand for. The condition on the anchor keeps two
 * replicas from moving it.
 */
const RETIRE = `
WITH moved AS (
  UPDATE rtv_audit.heads SET anchor_sequence = $3, anchor_hash = $4, anchor_frontier = $5,
    oldest = CASE WHEN sequence > $3 THEN $9::uuid END
  WHERE instance = $1 AND anchor_sequence = $2 RETURNING 1
), kept AS (
  INSERT INTO rtv_audit.checkpoints (instance, size, note) SELECT $1, $3, $6 WHERE EXISTS (SELECT FROM moved)
  ON CONFLICT DO NOTHING
), forgotten AS (
  DELETE FROM rtv_audit.checkpoints WHERE instance = $1 AND size < $3 AND EXISTS (SELECT FROM moved)
), removed AS (
  DELETE FROM rtv_audit.records WHERE instance = $1 AND sequence <= $3 AND id >= $7 AND id <= $8 AND EXISTS (SELECT FROM moved)
)
SELECT count(*)::int AS moved FROM moved`;

async function moveAnchor(
  query: Query,
  instance: string,
  before: ChainHead,
  after: ChainHead,
  note: string,
  removed: readonly Row[],
  next: string,
): Promise<boolean> {
  const ids = removed.map(({ id }) => String(id)).sort();
  const values = [instance, before.sequence, after.sequence, after.hash, packFrontier(after.frontier), note];
  const range = [ids[0], ids.at(-1)];
  const [row] = await query({ text: RETIRE, values: [...values, ...range, next] });
  return row?.['moved'] === 1;
}
