import { hash } from 'node:crypto';
import rateLimit, { type RateLimitPluginOptions } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Fault } from '../issuance/fault.ts';
import type { Refusal } from '../issuance/refusal.ts';
import { connectLimitStore, type LimitStore, type LimitStoreEvents } from './limit-store.ts';
import { createSenderLimits, type SenderLimits } from './sender-limits.ts';

/** At most `max` within each window of `windowMs`. */
export type Rate = { readonly max: number; readonly windowMs: number };

/** The rates of the configuration in force. */
export type Rates = { readonly perCaller: Rate; readonly perDatabase: Rate; readonly perAddress: Rate };

/** Counts one request under a key; a refusal when the key has had too many. */
export type AdmitByRate = (request: FastifyRequest, key: string, rate: Rate) => Promise<Refusal | undefined>;

export type RateLimits = {
  readonly senders: SenderLimits;
  readonly perCaller: AdmitByRate;
  readonly perDatabase: AdmitByRate;
  readonly perGrant: AdmitByRate;
};

export type RateLimitOptions = {
  readonly store:
    | { readonly type: 'memory' }
    | (LimitStore & { readonly type: 'redis'; readonly whenUnavailable: 'count-here' | 'refuse' });
  readonly storeEvents: LimitStoreEvents;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};

/** Adds one to a key's count, and says what there is now and how long it lasts, milliseconds. */
type Count = (request: FastifyRequest, key: string, rate: Rate) => Promise<{ isExceeded: boolean; ttl: number }>;

/** Before every key of the store. */
const PREFIX = 'rds-token-vendor:rate:';
/** Counts kept in memory for each limit, about 30 MB. Above it the one that was used longest ago is forgotten. */
const MOST_COUNTS = 100_000;

/**
 * Creates the limits of this process. They are asked inside the decision, after the caller is verified; but for
 * `senders`, which is asked before.
 */
export async function createRateLimits(app: FastifyInstance, options: RateLimitOptions): Promise<RateLimits> {
  const together = options.store.type === 'redis' ? await countTogether(app, options.store, options.storeEvents) : null;

  async function createLimit(kind: string, what: string, keyOf = (name: string) => name): Promise<AdmitByRate> {
    const here = await createCount(app, { cache: MOST_COUNTS });
    const count = together?.(here) ?? here;
    return async (request, name, rate) => {
      const { max, windowMs } = rate;
      // With the window in it: another window of a reloaded configuration begins another count.
      const { isExceeded, ttl } = await count(request, `${kind}:${windowMs}:${keyOf(name)}`, rate);
      if (!isExceeded) return undefined;
      const detail = `more than ${max} ${what} in ${windowMs / 1000} s`;
      return { reason: 'rate_limited', detail, retryAfterSeconds: Math.max(1, Math.ceil(ttl / 1000)) };
    };
  }

  return {
    senders: createSenderLimits(options.now),
    // Subjects may be long, and the store need not learn them.
    perCaller: await createLimit('caller', 'requests of one caller', (caller) => hash('sha256', caller, 'base64url')),
    perDatabase: await createLimit('database', 'tokens for one database'),
    perGrant: await createLimit('grant', 'tokens of one grant'),
  };
}

/** Counts in the store; where that cannot be asked, as configured. */
async function countTogether(
  app: FastifyInstance,
  store: RateLimitOptions['store'] & { readonly type: 'redis' },
  events: LimitStoreEvents,
): Promise<(here: Count) => Count> {
  const connection = await connectLimitStore(store, PREFIX, events);
  app.addHook('onClose', (_app, done) => {
    connection.close();
    done();
  });
  const count = await createCount(app, { redis: connection.client, nameSpace: PREFIX });
  return (here) => async (request, key, rate) => {
    try {
      return await connection.ask(() => count(request, key, rate));
    } catch (error) {
      if (store.whenUnavailable === 'count-here') return here(request, key, rate);
      throw new Fault('limits_unavailable', 'the server that counts requests cannot be asked', { cause: error });
    }
  };
}

/** A count of its own, by @fastify/rate-limit. */
async function createCount(app: FastifyInstance, settings: RateLimitPluginOptions): Promise<Count> {
  // The library takes its key and rate from the request; ours are known only to the decision.
  const asked = new WeakMap<FastifyRequest, { readonly key: string; readonly rate: Rate }>();
  const { promise: created, resolve } = Promise.withResolvers<ReturnType<FastifyInstance['createRateLimit']>>();
  // In a scope of its own: the plugin has one store for each place where it is registered.
  await app.register(async (scope) => {
    await scope.register(rateLimit, {
      ...settings,
      global: false,
      max: (request) => asked.get(request)?.rate.max ?? 0,
      timeWindow: (request) => asked.get(request)?.rate.windowMs ?? 1000,
      keyGenerator: (request) => asked.get(request)?.key ?? '',
    });
    resolve(scope.createRateLimit());
  });
  const check = await created;
  return async (request, key, rate) => {
    asked.set(request, { key, rate });
    const result = await check(request);
    // `isAllowed` is for allow lists; there is none.
    return result.isAllowed ? { isExceeded: false, ttl: 0 } : result;
  };
}
