import { Fault } from '../issuance/fault.ts';
import type { IssuerKey } from './admit-keys.ts';
import { createKeyRing, type KeyRing } from './key-ring.ts';
import type { LoadKeys, LoadReason } from './load-key-set.ts';
import { createLoadSchedule } from './load-schedule.ts';
import { createLoadWindow } from './load-window.ts';

/** One issuer's keys, kept fresh in the background. */
export type IssuerKeySet = {
  /**
   * The key a token's header points at, or undefined when the issuer has no such key.
   * Throws a `Fault` of code `issuer_keys_unavailable` when that cannot be known.
   *
   * @param issuedBy the latest time at which the token can have been issued, milliseconds since the epoch; undefined
   *   when it does not say
   */
  find(kid: string | undefined, algorithm: string, issuedBy: number | undefined): Promise<IssuerKey | undefined>;
  status(): KeySetStatus;
  close(): void;
};

/** For `/readyz` and metrics. */
export type KeySetStatus = {
  /** Whether keys are in hand. */
  readonly ready: boolean;
  /** Why the last load failed; null when it did not. */
  readonly failure: string | null;
  /** When the last load that succeeded began, milliseconds since the epoch. */
  readonly loadedAt: number | null;
  /** SHA-256 over its keys, hex. */
  readonly hash: string | null;
};

export type KeySetEvent =
  | {
      readonly type: 'keys_loaded';
      readonly issuer: string;
      readonly keys: number;
      readonly hash: string;
      readonly rejected: readonly string[];
    }
  | { readonly type: 'keys_failed'; readonly issuer: string; readonly error: string };

export type KeySetOptions = {
  readonly name: string;
  readonly load: LoadKeys;
  /** How long the last good keys serve without a refresh; an issuer gone for longer can no longer revoke one. */
  readonly keepKeysForMs: number;
  readonly now: () => number;
  /** From 0 up to 1, for jitter. */
  readonly random: () => number;
  readonly onEvent: (event: KeySetEvent) => void;
};

type Held = { readonly ring: KeyRing; readonly hash: string; readonly loadedAt: number };

/** Creates the key set of one issuer and begins to load it. */
export function createIssuerKeySet(options: KeySetOptions): IssuerKeySet {
  const { name, load, keepKeysForMs, now, random, onEvent } = options;
  const schedule = createLoadSchedule({ now, random, onDue: () => void refresh() });
  const extraLoads = createLoadWindow();
  let held: Held | undefined;
  let failure: string | null = null;
  let underWay: Promise<void> | undefined;
  let extraTimer: NodeJS.Timeout | undefined;
  let closed = false;

  async function refresh(): Promise<void> {
    // Not joined: a load for an unknown kid leaves discovery out.
    if (underWay) return underWay.then(refresh);
    if (!closed) await begin('refresh');
  }

  function begin(reason: LoadReason): Promise<void> {
    clearTimeout(extraTimer);
    extraTimer = undefined;
    underWay = attempt(reason).finally(() => (underWay = undefined));
    return underWay;
  }

  async function attempt(reason: LoadReason): Promise<void> {
    const loadedAt = now();
    try {
      const { keys, hash, rejected } = await load(reason);
      held = { ring: createKeyRing(keys), hash, loadedAt };
      failure = null;
      if (reason === 'refresh') schedule.afterSuccess();
      if (!closed) onEvent({ type: 'keys_loaded', issuer: name, keys: keys.length, hash, rejected });
    } catch (error) {
      failure = error instanceof Error ? error.message : 'unknown failure';
      schedule.afterFailure();
      if (!closed) onEvent({ type: 'keys_failed', issuer: name, error: failure });
    }
  }

  /** A load for an unknown kid, or undefined: there were enough of them. One that fails is retried on schedule. */
  function beginExtra(): Promise<void> | undefined {
    return extraLoads.take(now()) ? begin('unknown_kid') : undefined;
  }

  function beginExtraLater(): void {
    if (closed || extraTimer !== undefined) return;
    const wait = Math.max(1, extraLoads.nextAt(now()) - now());
    extraTimer = setTimeout(() => {
      extraTimer = undefined;
      // Timers may be a millisecond early. A load that is under way began after the token that this one is for.
      if (!underWay && failure === null && !beginExtra()) beginExtraLater();
    }, wait).unref();
  }

  function current(): KeyRing | undefined {
    return held && now() - held.loadedAt < keepKeysForMs ? held.ring : undefined;
  }

  function loadedAt(): number {
    return held?.loadedAt ?? Number.NEGATIVE_INFINITY;
  }

  function unavailable(why: string, loadAt: number): Fault {
    const retryAfterSeconds = Math.max(1, Math.ceil((loadAt - now()) / 1000));
    return new Fault('issuer_keys_unavailable', `keys of issuer ${name} are unavailable: ${why}`, {
      retryAfterSeconds,
    });
  }

  async function find(kid: string | undefined, algorithm: string, issuedBy: number | undefined) {
    const known = current()?.choose(kid, algorithm);
    if (known) return known;
    // The load under way may bring the key. That it does not proves nothing: it may have read the keys before this
    // token's was published. After a failure nobody waits, so that an issuer that hangs holds no requests.
    if (underWay && failure === null) {
      await underWay;
      const found = current()?.choose(kid, algorithm);
      if (found) return found;
    }
    // One that begins now, or has begun since, does prove it.
    const proof = failure === null ? (underWay ?? beginExtra()) : undefined;
    if (proof) {
      await proof;
      const found = current()?.choose(kid, algorithm);
      if (found) return found;
    }
    // While the issuer cannot be asked, an unknown kid may well be its new key: our inability, not the caller's lie.
    if (failure !== null) throw unavailable(failure, schedule.dueAt());
    // Without proof, a token from before the last load is not signed with a key published after it.
    if (current() && (proof || issuedBy === undefined || issuedBy <= loadedAt())) return undefined;
    beginExtraLater();
    const why = 'tokens with unknown kids have used up the loads of this minute';
    throw unavailable(why, Math.min(extraLoads.nextAt(now()), schedule.dueAt()));
  }

  void refresh();
  return {
    find,
    status: () => ({
      ready: current() !== undefined,
      failure,
      loadedAt: held?.loadedAt ?? null,
      hash: held?.hash ?? null,
    }),
    close() {
      closed = true;
      clearTimeout(extraTimer);
      schedule.close();
    },
  };
}
