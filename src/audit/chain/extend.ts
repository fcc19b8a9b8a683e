import { hash } from 'node:crypto';
import { canonicalText } from '../../issuance/published-record.ts';
import { recordOf, type RecordRow } from '../record-row.ts';
import type { ChainedRecord, ChainHead } from '../store.ts';
import { withLeaves } from './frontier.ts';

/** Puts records at the end of an instance's chain. */
export function extendChain(
  head: ChainHead,
  instance: string,
  rows: readonly RecordRow[],
): { readonly records: readonly ChainedRecord[]; readonly head: ChainHead } {
  let { sequence, hash: previousHash } = head;
  const records = rows.map((row): ChainedRecord => {
    const link = { instance, sequence: sequence + 1, previousHash: previousHash?.toString('hex') ?? null };
    const canonical = canonicalText(recordOf(row), link);
    const chained = { row, sequence: link.sequence, previousHash, hash: leafHash(canonical), canonical };
    sequence = chained.sequence;
    previousHash = chained.hash;
    return chained;
  });
  const leaves = records.map(({ hash }) => hash);
  return { records, head: { sequence, hash: previousHash, frontier: withLeaves(head.frontier, leaves) } };
}

/** The record's hash: the RFC 6962 leaf hash of its canonical text. */
export function leafHash(canonical: string): Buffer {
  return hash('sha256', `\0${canonical}`, 'buffer');
}
