import type { CaBundle } from './ca-bundle.ts';
import type { CaBundleStore } from './ca-bundle-store.ts';
import { fetchCaBundle } from './fetch-ca-bundle.ts';

/** What happened to a fetched bundle, for the log. */
export type CaBundleEvent =
  | { readonly type: 'ca_bundle_fetched'; readonly id: string; readonly url: string; readonly sha256: string }
  | { readonly type: 'ca_bundle_failed'; readonly id: string; readonly url: string; readonly error: string };

export type RefreshOptions = {
  readonly id: string;
  readonly url: string;
  /** Time between two fetches, milliseconds. */
  readonly refreshMs: number;
  readonly ca: string | undefined;
  readonly store: CaBundleStore;
  readonly now: () => number;
  readonly onBundle: (bundle: CaBundle) => void;
  readonly onEvent: (event: CaBundleEvent) => void;
};

const RETRY_MIN_MS = 30_000;
const RETRY_MAX_MS = 3_600_000;

/**
 * Uses the copy on disk, if there is a good one, and then fetches one bundle again and again: at once when the copy is
 * old or missing, after failures with growing pauses. A fetch that fails leaves the last good bundle in force.
 * Resolves once the copy on disk has been looked at; the function it gives ends the fetching.
 */
export async function startRefreshing(options: RefreshOptions): Promise<() => Promise<void>> {
  const { id, url, refreshMs, ca, store, now, onBundle, onEvent } = options;
  const ended = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<void> = Promise.resolve();
  let retryMs = RETRY_MIN_MS;

  function schedule(delay: number): void {
    if (ended.signal.aborted) return;
    timer = setTimeout(() => {
      underWay = attempt();
    }, delay);
    timer.unref();
  }

  async function attempt(): Promise<void> {
    try {
      const bundle = await fetchCaBundle({ id, url, ca, now, signal: ended.signal });
      onBundle(bundle);
      onEvent({ type: 'ca_bundle_fetched', id, url, sha256: bundle.sha256 });
      retryMs = RETRY_MIN_MS;
      schedule(refreshMs);
      await store.save({ bundle, fetchedAt: now() }, url);
    } catch (error) {
      if (ended.signal.aborted) return;
      onEvent({ type: 'ca_bundle_failed', id, url, error: reasonOf(error) });
      clearTimeout(timer);
      schedule(Math.min(retryMs, refreshMs));
      retryMs = Math.min(retryMs * 2, RETRY_MAX_MS);
    }
  }

  async function useStored(): Promise<number> {
    try {
      const stored = await store.load(id, url);
      if (stored === undefined) return 0;
      onBundle(stored.bundle);
      return Math.max(0, stored.fetchedAt + refreshMs - now());
    } catch (error) {
      onEvent({ type: 'ca_bundle_failed', id, url, error: reasonOf(error) });
      return 0;
    }
  }

  schedule(Math.min(await useStored(), refreshMs));
  return async () => {
    ended.abort();
    clearTimeout(timer);
    await underWay;
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error';
}
