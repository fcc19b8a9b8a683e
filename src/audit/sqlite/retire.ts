import type { DatabaseSync } from 'node:sqlite';
import { rootIn } from '../chain/checkpoint.ts';
import { EMPTY_FRONTIER, type Frontier, packFrontier, rootOf, unpackFrontier, withLeaves } from '../chain/frontier.ts';
import { POSITIONS } from './schema.ts';
import { MS_PER_DAY, type TextNumbers } from './texts.ts';

/** Records looked at in one slice. Kept checkpoints are at most 1,000 apart, so there is one among them. */
const SLICE = 2_000;

/** Texts removed in one slice. */
const TEXTS = 2_000;

/**
 * Removes whole ranges of records from the beginning of each chain, up to a kept checkpoint. The state of the chain there
 * becomes its anchor in the same transaction, so that what is left verifies from it.
 */
export function createRetirement(
  db: DatabaseSync,
  texts: TextNumbers,
): {
  /** One slice, inside of a transaction. True when more is left. */
  slice(before: number): boolean;
} {
  const instances = db.prepare(
    'SELECT instance, sequence, checkpoint, anchor_sequence, anchor_frontier FROM audit_instances WHERE anchor_sequence < sequence',
  );
  const chunk = db.prepare(
    'SELECT sequence, position, hash FROM audit_records WHERE instance = ? AND sequence > ? ORDER BY sequence LIMIT ?',
  );
  const kept = db.prepare(
    'SELECT size, note FROM audit_checkpoints WHERE instance = ? AND size > ? AND size <= ? ORDER BY size DESC LIMIT 1',
  );
  const keepHead = db.prepare('INSERT OR IGNORE INTO audit_checkpoints (instance, size, note) VALUES (?, ?, ?)');
  const setAnchor = db.prepare(
    'UPDATE audit_instances SET anchor_sequence = ?, anchor_hash = ?, anchor_frontier = ? WHERE instance = ?',
  );
  const removeRecords = db.prepare('DELETE FROM audit_records WHERE instance = ? AND sequence <= ?');
  const removeCheckpoints = db.prepare('DELETE FROM audit_checkpoints WHERE instance = ? AND size < ?');
  const oldest = db.prepare('SELECT min(position) AS position FROM audit_records');
  const removeTexts = db.prepare(
    'DELETE FROM audit_texts WHERE id IN (SELECT id FROM audit_texts WHERE last_day < ? LIMIT ?)',
  );
  let textsMayGo = true;

  function retireFrom(row: Readonly<Record<string, unknown>>, before: number): boolean {
    const instance = Number(row['instance']);
    const from = Number(row['anchor_sequence']);
    const records: readonly Readonly<Record<string, unknown>>[] = chunk.all(instance, from, SLICE);
    const young = records.findIndex(({ position }) => Number(position) >= before * POSITIONS);
    const old = young === -1 ? records : records.slice(0, young);
    const last = Number(old.at(-1)?.['sequence'] ?? from);
    // A process that was killed has kept no checkpoint of its last records; that of its head covers them.
    if (last === Number(row['sequence'])) keepHead.run(instance, last, String(row['checkpoint']));
    const checkpoint = kept.get(instance, from, last);
    if (checkpoint === undefined) return false;
    const size = Number(checkpoint['size']);
    const removed = old.slice(0, size - from);
    const hashes = removed.map(({ hash }) => Buffer.from(hash instanceof Uint8Array ? hash : []));
    const frontier = withLeaves(anchorFrontier(from, row['anchor_frontier']), hashes);
    // Records that are not what was signed stay: removing them would remove what shows it.
    const isWhole = Number(removed.at(-1)?.['sequence']) === size && frontier.size === size;
    if (!isWhole || !rootOf(frontier).equals(rootIn(String(checkpoint['note'])))) return false;
    setAnchor.run(size, hashes.at(-1) ?? null, packFrontier(frontier), instance);
    removeRecords.run(instance, size);
    removeCheckpoints.run(instance, size);
    textsMayGo = true;
    return true;
  }

  return {
    slice(before) {
      if (instances.all().some((row) => retireFrom(row, before))) return true;
      if (!textsMayGo) return false;
      const position = oldest.get()?.['position'];
      const day = Math.floor((typeof position === 'number' ? position / POSITIONS : before) / MS_PER_DAY);
      textsMayGo = Number(removeTexts.run(day, TEXTS).changes) === TEXTS;
      texts.forget();
      return textsMayGo;
    },
  };
}

function anchorFrontier(size: number, bytes: unknown): Frontier {
  return size === 0 || !(bytes instanceof Uint8Array) ? EMPTY_FRONTIER : unpackFrontier(size, bytes);
}
