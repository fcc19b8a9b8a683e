import { hash } from 'node:crypto';
import type { Credentials } from '../issuance/authenticate-caller.ts';

/** Credentials that were verified, the ones used last, as digests. Each is forgotten when its token ends. */
export type VerifiedTokens = {
  holds(fingerprint: string, now: number): boolean;
  add(fingerprint: string, expiresAt: number): void;
  forget(fingerprint: string): void;
};

/** @param most how many are kept. */
export function createVerifiedTokens(most: number): VerifiedTokens {
  const ends = new Map<string, number>();
  return {
    holds(fingerprint, now) {
      const end = ends.get(fingerprint);
      if (end !== undefined && end <= now) ends.delete(fingerprint);
      return end !== undefined && end > now;
    },
    add(fingerprint, expiresAt) {
      // The one used last is the last to go.
      ends.delete(fingerprint);
      ends.set(fingerprint, expiresAt);
      if (ends.size <= most) return;
      for (const oldest of ends.keys()) {
        ends.delete(oldest);
        return;
      }
    },
    forget: (fingerprint) => void ends.delete(fingerprint),
  };
}

/**
 * SHA-256 of what a request came with, to the last byte: the certificate too, since a token that is bound to one is no
 * good with another. null for a request that has not exactly one `Authorization`.
 */
export function fingerprintOf({ authorization, certificateThumbprint }: Credentials): string | null {
  if (authorization.length !== 1) return null;
  return hash('sha256', JSON.stringify([authorization[0], certificateThumbprint]), 'base64url');
}
