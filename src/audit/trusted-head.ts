import type { CheckpointSigner } from './chain/checkpoint.ts';
import { rootOf } from './chain/frontier.ts';
import type { ChainHead, HeadOnRecord } from './store.ts';

/**
 * The end of a chain that may be continued. Signing on top of what somebody else wrote would make it genuine: so a head
 * on record counts only with our signature over it, and never behind what this process itself has written.
 *
 * @param written what this process last knows to be there; null when it has just started.
 * @throws {Error} that says why the chain cannot be continued.
 */
export function trustedHead(onRecord: HeadOnRecord, signer: CheckpointSigner, written: ChainHead | null): ChainHead {
  const { sequence, hash, frontier, checkpoint } = onRecord;
  if (written !== null && sequence < written.sequence) {
    throw new Error(`the chain on record ends at record ${sequence}, and this process has written ${written.sequence}`);
  }
  if (written !== null && sequence === written.sequence && !isSameHash(hash, written.hash)) {
    throw new Error(`record ${sequence} on record is not the one that this process has written`);
  }
  if (sequence > 0 || checkpoint !== null) requireSignature(onRecord, signer);
  return { sequence, hash, frontier };
}

function requireSignature({ sequence, frontier, checkpoint }: HeadOnRecord, signer: CheckpointSigner): void {
  const start = `the chain on record cannot be continued: its checkpoint at record ${sequence}`;
  const opened = openNote(checkpoint ?? '', signer, start);
  const fits = opened.size === sequence && frontier.size === sequence && opened.root.equals(rootOf(frontier));
  if (!fits) throw new Error(`${start} does not cover what is there`);
}

function openNote(note: string, signer: CheckpointSigner, start: string): ReturnType<CheckpointSigner['open']> {
  try {
    return signer.open(note);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${start} is not of this key (${why}): put the key back, or give the instance another name`, {
      cause: error,
    });
  }
}

function isSameHash(one: Buffer | null, other: Buffer | null): boolean {
  return one === null || other === null ? one === other : one.equals(other);
}
