import { addressGroup } from '../issuance/address-group.ts';
import type { Credentials } from '../issuance/authenticate-caller.ts';
import type { Caller } from '../issuance/caller.ts';
import { type Decided, type Refusal, refuse } from '../issuance/refusal.ts';
import type { Rate } from './rate-limits.ts';
import { createVerifiedTokens, fingerprintOf } from './verified-tokens.ts';

/** Who sends a request, as far as can be told before anything is verified. */
export type Sender = { readonly clientAddress: string | null; readonly credentials: Credentials };

/** `known`: its token was verified before. `flooding`: its address has used up its rate. */
export type Standing = 'known' | 'unknown' | 'flooding';

/** Limits, by client address, requests that end without a verified caller. */
export type SenderLimits = {
  /** Verifies, or refuses when too much of this address was no good. */
  admit(sender: Sender, rate: Rate, verify: () => Promise<Decided<Caller>>): Promise<Decided<Caller>>;
  standing(sender: Sender, rate: Rate): Standing;
};

const NO_CALLER: ReadonlySet<Refusal['reason']> = new Set(['token_missing', 'token_invalid', 'authorization_repeated']);
const MOST_VERIFIED = 20_000;
/** Addresses that are told apart within a window. */
const MOST_ADDRESSES = 100_000;
/** Requests of one address that wait for a verification of it to end. */
const MOST_WAITING = 200;
/** Counts for everybody who has no count of its own. */
const EVERYBODY_ELSE = '';

type Verifying = { pending: number; waiting: number; next: PromiseWithResolvers<void> };

/**
 * Counts requests without a valid JWT by address: an IPv4 address, or an IPv6 /64. Above the rate, no signature of that
 * address is verified until the window ends, but for tokens that were good before: whoever shares an address with an
 * attacker, and works, goes on working.
 *
 * A verification under way counts as one that fails, so that many at once learn nothing a few after another would not;
 * what exceeds the rate only by those waits for them.
 *
 * No count is dropped before its window ends, so nobody resets its own by sending from elsewhere. Once 100,000 addresses
 * have one, all others share one more: they are refused together, since the other way round made-up addresses would be
 * free of any limit.
 */
export function createSenderLimits(now: () => number): SenderLimits {
  const verified = createVerifiedTokens(MOST_VERIFIED);
  const verifying = new Map<string, Verifying>();
  let failures = new Map<string, number>();
  let began = Number.NEGATIVE_INFINITY;

  function failuresOf(group: string, { windowMs }: Rate): number {
    const time = now();
    // A clock that was set back must not make a window longer.
    if (time < began || time >= began + windowMs) {
      failures = new Map();
      began = time;
    }
    return failures.get(countOf(group)) ?? 0;
  }

  function countOf(group: string): string {
    return failures.has(group) || failures.size < MOST_ADDRESSES ? group : EVERYBODY_ELSE;
  }

  function noteFailure(group: string, rate: Rate): void {
    const before = failuresOf(group, rate);
    failures.set(countOf(group), before + 1);
  }

  /** Takes a place for one verification, once there is one. */
  async function takePlace(group: string, rate: Rate): Promise<Refusal | undefined> {
    for (;;) {
      const failed = failuresOf(group, rate);
      if (failed >= rate.max) return flooding(rate, began + rate.windowMs - now());
      const places = verifying.get(group) ?? { pending: 0, waiting: 0, next: Promise.withResolvers<void>() };
      if (failed + places.pending < rate.max) {
        verifying.set(group, places);
        places.pending += 1;
        return undefined;
      }
      if (places.waiting >= MOST_WAITING) {
        const detail = `more than ${MOST_WAITING} JWTs from one address wait to be verified`;
        return { reason: 'rate_limited', detail, retryAfterSeconds: 1 };
      }
      places.waiting += 1;
      await places.next.promise;
      places.waiting -= 1;
    }
  }

  function leavePlace(group: string): void {
    const places = verifying.get(group);
    if (places === undefined) return;
    places.pending -= 1;
    places.next.resolve();
    places.next = Promise.withResolvers();
    if (places.pending === 0) verifying.delete(group);
  }

  async function watched(
    group: string,
    fingerprint: string | null,
    rate: Rate,
    verify: () => Promise<Decided<Caller>>,
  ): Promise<Decided<Caller>> {
    const decided = await verify();
    if (decided.ok) {
      if (fingerprint !== null) verified.add(fingerprint, decided.value.expiresAt);
    } else if (NO_CALLER.has(decided.refusal.reason)) {
      noteFailure(group, rate);
      if (fingerprint !== null) verified.forget(fingerprint);
    }
    return decided;
  }

  return {
    async admit({ clientAddress, credentials }, rate, verify) {
      const group = groupOf(clientAddress);
      const fingerprint = fingerprintOf(credentials);
      if (fingerprint !== null && verified.holds(fingerprint, now())) {
        return watched(group, fingerprint, rate, verify);
      }
      const refusal = await takePlace(group, rate);
      if (refusal) return refuse(refusal);
      try {
        return await watched(group, fingerprint, rate, verify);
      } finally {
        leavePlace(group);
      }
    },
    standing({ clientAddress, credentials }, rate) {
      const fingerprint = fingerprintOf(credentials);
      if (fingerprint !== null && verified.holds(fingerprint, now())) return 'known';
      return failuresOf(groupOf(clientAddress), rate) >= rate.max ? 'flooding' : 'unknown';
    },
  };
}

function groupOf(clientAddress: string | null): string {
  return clientAddress === null ? EVERYBODY_ELSE : addressGroup(clientAddress);
}

function flooding({ max, windowMs }: Rate, leftMs: number): Refusal {
  const detail = `more than ${max} requests without a valid JWT from one address in ${windowMs / 1000} s`;
  return { reason: 'rate_limited', detail, retryAfterSeconds: Math.max(1, Math.ceil(leftMs / 1000)) };
}
