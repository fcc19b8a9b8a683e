import type { KeyObject } from 'node:crypto';
import { publicKeyOf } from '../chain/checkpoint.ts';

/** The keys that checkpoints are trusted with. They never come from the store that is verified. */
export type CheckpointKeys = {
  /** The key of a log, or null when none was given for it. */
  keyOf(origin: string): KeyObject | null;
};

/** The same key for every log. */
export function oneKey(key: KeyObject): CheckpointKeys {
  return { keyOf: () => key };
}

/**
 * Keys of C2SP verifier keys (`NAME+ID+KEY`), each for its own log and for the chain that the command line writes on the
 * same machine, `NAME-cli`.
 *
 * @throws {Error} when one is none.
 */
export function keysOf(verifierKeys: readonly string[]): CheckpointKeys {
  const keys = new Map(verifierKeys.map((text) => [nameOf(text), publicKeyOf(text)]));
  return { keyOf: (origin) => keys.get(origin) ?? keys.get(origin.replace(/-cli$/, '')) ?? null };
}

function nameOf(verifierKey: string): string {
  return verifierKey.trim().split('+')[0] ?? '';
}
