import { Fault } from '../issuance/fault.ts';
import type { AdmittedKeys, IssuerKey } from './admit-keys.ts';
import { keyFitsAlgorithm } from './algorithms.ts';

/** One issuer's keys, kept fresh in the background. */
export type IssuerKeySet = {
  /**
   * The key a token's header points at, or undefined when the issuer has no such key.
   * Throws a `Fault` of code `issuer_keys_unavailable` when that cannot be known.
   */
  find(kid: string | undefined, algorithm: string): Promise<IssuerKey | undefined>;
  /** For `/readyz`: whether keys are in hand, and the last failure to load some. */
  status(): { readonly ready: boolean; readonly failure: string | null };
  close(): void;
};

export type KeySetEvent =
  | {
      readonly type: 'keys_loaded';
      readonly issuer: string;
      readonly keys: number;
      readonly rejected: readonly string[];
    }
  | { readonly type: 'keys_failed'; readonly issuer: string; readonly error: string };

export type KeySetOptions = {
  readonly name: string;
  readonly load: () => Promise<AdmittedKeys>;
  readonly now: () => number;
  readonly onEvent: (event: KeySetEvent) => void;
};

const REFRESH_MS = 10 * 60_000;
/** Last good keys verify this long without a refresh; an issuer gone for longer can no longer revoke one. */
const MAX_STALE_MS = 24 * 3_600_000;
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 30_000;
/** Loads that unknown kids may cause: a burst, then one per period, so that made-up kids cannot flood the issuer. */
const EXTRA_LOADS = 3;
const EXTRA_LOAD_MS = 30_000;

/** Creates the key set of one issuer and begins to load it. */
export function createIssuerKeySet({ name, load, now, onEvent }: KeySetOptions): IssuerKeySet {
  let keys: readonly IssuerKey[] = [];
  let loadedAt = Number.NEGATIVE_INFINITY;
  let failure: string | null = null;
  let underWay: Promise<void> | undefined;
  let retryMs = RETRY_MIN_MS;
  let extraLoads = EXTRA_LOADS;
  let extraLoadsAt = now();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  function refresh(): Promise<void> {
    clearTimeout(timer);
    underWay ??= attempt().finally(() => {
      underWay = undefined;
      if (closed) return;
      timer = setTimeout(refresh, failure === null ? REFRESH_MS : retryMs).unref();
      retryMs = failure === null ? RETRY_MIN_MS : Math.min(retryMs * 2, RETRY_MAX_MS);
    });
    return underWay;
  }

  async function attempt(): Promise<void> {
    try {
      const loaded = await load();
      keys = loaded.keys;
      loadedAt = now();
      failure = null;
      onEvent({ type: 'keys_loaded', issuer: name, keys: keys.length, rejected: loaded.rejected });
    } catch (error) {
      failure = error instanceof Error ? error.message : 'unknown failure';
      onEvent({ type: 'keys_failed', issuer: name, error: failure });
    }
  }

  function mayLoadAgain(): boolean {
    const earned = Math.floor((now() - extraLoadsAt) / EXTRA_LOAD_MS);
    if (earned > 0) {
      extraLoads = Math.min(EXTRA_LOADS, extraLoads + earned);
      extraLoadsAt += earned * EXTRA_LOAD_MS;
    }
    if (extraLoads === 0) return false;
    extraLoads--;
    return true;
  }

  function current(): readonly IssuerKey[] {
    return now() - loadedAt < MAX_STALE_MS ? keys : [];
  }

  function unavailable(): Fault {
    return new Fault(
      'issuer_keys_unavailable',
      `keys of issuer ${name} are unavailable: ${failure ?? 'not loaded yet'}`,
    );
  }

  async function find(kid: string | undefined, algorithm: string): Promise<IssuerKey | undefined> {
    const known = choose(current(), kid, algorithm);
    if (known) return known;
    // A load under way may bring the key. Otherwise an issuer that rotated is asked again, within limits.
    if (underWay) await underWay;
    else if (mayLoadAgain()) await refresh();
    const found = choose(current(), kid, algorithm);
    // While the issuer cannot be asked, an unknown kid may well be its new key: our inability, not the caller's lie.
    if (!found && (failure !== null || current().length === 0)) throw unavailable();
    return found;
  }

  void refresh();
  return {
    find,
    status: () => ({ ready: current().length > 0, failure }),
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** A token without a kid is verified only where a single key fits, so that no key is ever guessed. */
function choose(keys: readonly IssuerKey[], kid: string | undefined, algorithm: string): IssuerKey | undefined {
  const fitting = keys.filter(
    ({ key, algorithm: only }) => (only === undefined || only === algorithm) && keyFitsAlgorithm(key, algorithm),
  );
  if (kid !== undefined) return fitting.find((candidate) => candidate.kid === kid);
  return fitting.length === 1 ? fitting[0] : undefined;
}
