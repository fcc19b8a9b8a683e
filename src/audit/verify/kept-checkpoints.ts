import type { KeyObject } from 'node:crypto';
import { type Checkpoint, openCheckpoint } from '../chain/checkpoint.ts';
import type { StoreReader } from '../store.ts';
import type { CheckpointPlace, Finding } from './finding.ts';

/** Checkpoints read at a time. */
const CHUNK = 1_000;

/** The kept checkpoints of one instance whose signatures are good, read in the order of their sizes. */
export type KeptCheckpoints = {
  /** The next one, without taking it; asks the store again when there was none. */
  peek(): Promise<Checkpoint | null>;
  take(): void;
};

/**
 * @param after the sizes of interest are above it.
 * @param onFinding is told of those that are not good: they are passed over.
 */
export function createKeptCheckpoints(
  reader: Pick<StoreReader, 'checkpoints'>,
  log: { readonly instance: string; readonly origin: string; readonly key: KeyObject },
  after: number,
  onFinding: (finding: Finding) => void,
): KeptCheckpoints {
  let last = after;
  let read: Checkpoint[] = [];

  return {
    async peek() {
      while (read.length === 0) {
        const chunk = await reader.checkpoints(log.instance, last, CHUNK);
        if (chunk.length === 0) return null;
        last = chunk.reduce((most, { size }) => Math.max(most, size), last + 1);
        read = chunk.flatMap(({ size, note }) => {
          const opened = openAt(note, size, log, { type: 'kept' });
          if (!('kind' in opened)) return [opened];
          onFinding(opened);
          return [];
        });
      }
      return read[0] ?? null;
    },
    take() {
      read = read.slice(1);
    },
  };
}

/** Opens a note that the store has for a size. */
export function openAt(
  note: string,
  size: number,
  { origin, key }: { readonly origin: string; readonly key: KeyObject },
  place: CheckpointPlace,
): Checkpoint | Finding {
  const invalid = (reason: string): Finding => ({ kind: 'checkpoint_invalid', size, place, reason });
  try {
    const checkpoint = openCheckpoint(note, key);
    if (checkpoint.origin !== origin) return invalid(`it is one of ${checkpoint.origin}`);
    return checkpoint.size === size ? checkpoint : invalid(`it is one of size ${checkpoint.size}`);
  } catch (error) {
    return invalid(error instanceof Error ? error.message : String(error));
  }
}
