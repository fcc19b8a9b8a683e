import type { IssuerKey } from './admit-keys.ts';
import { keyFitsAlgorithm } from './algorithms.ts';

/** The keys of one load, as tokens ask for them. */
export type KeyRing = {
  readonly size: number;
  /** The one key that a token's header points at. */
  choose(kid: string | undefined, algorithm: string): IssuerKey | undefined;
};

/** Creates a ring. A token without a kid is verified only where a single key fits, so that no key is ever guessed. */
export function createKeyRing(keys: readonly IssuerKey[]): KeyRing {
  const byKid = new Map(keys.map((key) => [key.kid, key]));
  return {
    size: keys.length,
    choose(kid, algorithm) {
      if (kid !== undefined) {
        const key = byKid.get(kid);
        return key && fits(key, algorithm) ? key : undefined;
      }
      const fitting = keys.filter((key) => fits(key, algorithm));
      return fitting.length === 1 ? fitting[0] : undefined;
    },
  };
}

function fits({ key, algorithm: only }: IssuerKey, algorithm: string): boolean {
  return (only === undefined || only === algorithm) && keyFitsAlgorithm(key, algorithm);
}
