import type { IssuerConfig } from '../config.ts';
import { createIssuerKeySet, type IssuerKeySet, type KeySetEvent } from '../jwt/issuer-key-set.ts';
import { keySourceOf } from '../jwt/key-source.ts';
import type { KeySource, LoadKeys } from '../jwt/load-key-set.ts';
import { openTokenReview, type ReviewToken } from '../jwt/token-review.ts';
import type { TrustedIssuer } from '../jwt/verify-caller.ts';
import { fileIdentity } from './file-identity.ts';
import type { Staged } from './staged.ts';

/** The issuers' key sets across reloads: those whose settings did not change keep their keys and timers. */
export type IssuerPool = {
  /** @throws {Error} for an issuer whose cluster is not known */
  stage(issuers: readonly IssuerConfig[]): Promise<Staged<readonly TrustedIssuer[]>>;
  close(): void;
};

export type IssuerPoolOptions = {
  readonly loaderFor: (source: KeySource) => LoadKeys;
  /** The API server of the cluster that the service runs in. */
  readonly inCluster: string | undefined;
  readonly now: () => number;
  readonly onEvent: (event: KeySetEvent) => void;
};

type Entry = {
  readonly identity: string;
  readonly origin: string;
  readonly keySet: IssuerKeySet;
  loaded: boolean;
  /** Serves until the entry's own keys are loaded for the first time. Of the same origin, so that its keys are right. */
  earlier: Entry | null;
};

export function createIssuerPool(options: IssuerPoolOptions): IssuerPool {
  let inForce: readonly Entry[] = [];
  /** Everything that has timers: what is in force, and what stands in for it. */
  let open: readonly Entry[] = [];
  /** By settings. They have nothing that would have to be closed. */
  let reviews: ReadonlyMap<string, ReviewToken | null> = new Map();

  function closeUnneeded(): void {
    const needed = new Set<Entry>(inForce);
    for (const entry of inForce) {
      if (entry.loaded) entry.earlier = null;
      if (entry.earlier) needed.add(entry.earlier);
    }
    for (const entry of open) if (!needed.has(entry)) entry.keySet.close();
    open = [...needed];
  }

  function createEntry(issuer: IssuerConfig, identity: string): Entry {
    const origin = originOf(issuer);
    const predecessor = inForce.find((entry) => entry.origin === origin);
    const entry: Entry = {
      identity,
      origin,
      loaded: false,
      earlier: predecessor === undefined || predecessor.loaded ? (predecessor ?? null) : predecessor.earlier,
      keySet: createIssuerKeySet({
        name: issuer.name,
        load: options.loaderFor(keySourceOf(issuer)),
        keepKeysForMs: issuer.keepKeysFor,
        now: options.now,
        random: Math.random,
        onEvent(event) {
          options.onEvent(event);
          if (event.type !== 'keys_loaded' || entry.loaded) return;
          entry.loaded = true;
          if (inForce.includes(entry)) closeUnneeded();
        },
      }),
    };
    return entry;
  }

  return {
    async stage(issuers) {
      const identities = await Promise.all(issuers.map(identityOf));
      const nextReviews = new Map(
        issuers.map((issuer) => {
          const settings = reviewSettings(issuer);
          return [settings, reviews.get(settings) ?? openTokenReview(issuer, options.inCluster)];
        }),
      );
      // From here on nothing fails.
      const entries = identities.map((identity) => inForce.find((entry) => entry.identity === identity));
      const made = issuers.map((issuer, at) => {
        const entry = entries[at] ?? createEntry(issuer, identities[at] ?? '');
        const review = nextReviews.get(reviewSettings(issuer)) ?? null;
        return { entry, trusted: trustedIssuer(issuer, servedBy(entry), review) };
      });
      const next = made.map(({ entry }) => entry);
      return {
        part: made.map(({ trusted }) => trusted),
        commit() {
          open = [...new Set([...open, ...next])];
          inForce = next;
          reviews = nextReviews;
          closeUnneeded();
        },
        discard() {
          for (const entry of next) if (!inForce.includes(entry)) entry.keySet.close();
        },
      };
    },
    close() {
      for (const { keySet } of open) keySet.close();
    },
  };
}

function trustedIssuer(issuer: IssuerConfig, keySet: IssuerKeySet, review: ReviewToken | null): TrustedIssuer {
  const kubernetes = issuer.kubernetes !== undefined;
  return { ...issuer, clockToleranceMs: issuer.clockTolerance, keySet, kubernetes, review };
}

function servedBy(entry: Entry): IssuerKeySet {
  const { keySet } = entry;
  return {
    find: (...wanted) => (entry.earlier?.keySet ?? keySet).find(...wanted),
    status() {
      const own = keySet.status();
      const { failure } = own;
      return entry.earlier === null ? own : { ...entry.earlier.keySet.status(), failure };
    },
    close: () => keySet.close(),
  };
}

/** Whose keys they are: keys are handed on only where both parts are the same. */
function originOf({ issuer, jwks }: IssuerConfig): string {
  return JSON.stringify([issuer, jwks ?? null]);
}

/** Everything that a review is made from. The files are read at every use. */
function reviewSettings({ name, audiences, kubernetes }: IssuerConfig): string {
  return JSON.stringify([name, audiences, kubernetes]);
}

/** Everything that a key set is made from, the content of its files included. */
async function identityOf(issuer: IssuerConfig): Promise<string> {
  const { name, jwks, caFile, bearerTokenFile = null, keepKeysFor } = issuer;
  const keyFile = jwks !== undefined && 'file' in jwks ? jwks.file : undefined;
  const files = await Promise.all([keyFile, caFile].map(fileIdentity));
  return JSON.stringify([name, originOf(issuer), files, caFile ?? null, bearerTokenFile, keepKeysFor]);
}
