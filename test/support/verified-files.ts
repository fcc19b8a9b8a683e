import assert from 'node:assert/strict';
import { hash, type KeyObject } from 'node:crypto';
import { basename } from 'node:path';
import { openCheckpoint } from '../../src/audit/chain/checkpoint.ts';
import { type Frontier, packFrontier, rootOf, unpackFrontier, withLeaves } from '../../src/audit/chain/frontier.ts';
import { type FileLine, linesOf, recordFiles } from './file-records.ts';
import { publicKey } from './file-trail.ts';

type State = { readonly size: number; readonly hash: string | null; readonly frontier: Frontier };

/**
 * Recomputes an instance's chain from the lines of its files, and fails the test where something does not fit: names of
 * files, hashes, links, numbers, anchors, checkpoints.
 *
 * @returns the ids of the records
 */
export function verifiedIds(directory: string, instance = 'pod-1', key: KeyObject = publicKey): string[] {
  const files = recordFiles(directory, instance).map((path) => ({ path, lines: linesOf(path) }));
  let state = startOf(files[0]?.lines[0]);
  for (const [index, { path, lines }] of files.entries()) {
    assert.equal(basename(path), `${String(state.size + 1).padStart(16, '0')}.ndjson`);
    assert.ok(lines[0]?.anchor !== undefined, `${path} begins with an anchor`);
    if (index < files.length - 1) assert.equal(lines.at(-1)?.kept, true, `${path} ends in a kept checkpoint`);
    for (const line of lines) {
      if (line.id !== undefined) state = withRecord(state, line);
      else if (line.anchor !== undefined) checkAnchor(state, line.anchor, key);
      else checkNote(state, line.checkpoint, instance, key);
    }
    assert.equal(lines.at(-1)?.id, undefined, `${path} ends in a checkpoint`);
  }
  return files.flatMap(({ lines }) => lines.flatMap(({ id }) => id ?? []));
}

function startOf({ anchor }: FileLine = {}): State {
  const { size, hash, frontier } = anchor ?? assert.fail('it begins with no anchor');
  return { size, hash, frontier: unpackFrontier(size, Buffer.from(frontier, 'base64')) };
}

function withRecord(state: State, line: FileLine): State {
  const { hash: stored = '', ...rest } = line;
  assert.equal(hash('sha256', `\0${JSON.stringify(rest)}`), stored);
  assert.deepEqual([line.sequence, line.previous_hash], [state.size + 1, state.hash]);
  return { size: state.size + 1, hash: stored, frontier: withLeaves(state.frontier, [Buffer.from(stored, 'hex')]) };
}

function checkAnchor(state: State, anchor: NonNullable<FileLine['anchor']>, key: KeyObject): void {
  const frontier = packFrontier(state.frontier).toString('base64');
  assert.deepEqual([anchor.size, anchor.hash, anchor.frontier], [state.size, state.hash, frontier]);
  if (anchor.checkpoint !== null) assert.equal(openCheckpoint(anchor.checkpoint, key).size, state.size);
}

function checkNote(state: State, note: string | undefined, instance: string, key: KeyObject): void {
  const { size, root, origin } = openCheckpoint(note ?? '', key);
  assert.deepEqual([size, origin, root], [state.size, `rds-token-vendor/${instance}`, rootOf(state.frontier)]);
}
