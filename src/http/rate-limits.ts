import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Refusal } from '../issuance/refusal.ts';

/** At most `max` within each window of `windowMs`. */
export type Rate = { readonly max: number; readonly windowMs: number };

/** Counts one request under a key; a refusal when the key has had too many. */
export type AdmitByRate = (request: FastifyRequest, key: string) => Promise<Refusal | undefined>;

export type RateLimits = { readonly perCaller: AdmitByRate; readonly perDatabase: AdmitByRate };

/** Creates the limits of this process. They are asked inside the decision, after the caller is verified. */
export async function createRateLimits(
  app: FastifyInstance,
  rates: { readonly perCaller: Rate; readonly perDatabase: Rate },
): Promise<RateLimits> {
  await app.register(rateLimit, { global: false });
  return {
    perCaller: createLimit(app, rates.perCaller, 'requests of one caller'),
    perDatabase: createLimit(app, rates.perDatabase, 'tokens for one database'),
  };
}

function createLimit(app: FastifyInstance, { max, windowMs }: Rate, what: string): AdmitByRate {
  // The library takes its key from the request; ours is known only to the decision.
  const keys = new WeakMap<FastifyRequest, string>();
  const check = app.createRateLimit({ max, timeWindow: windowMs, keyGenerator: (request) => keys.get(request) ?? '' });
  return async (request, key) => {
    keys.set(request, key);
    const result = await check(request);
    if (result.isAllowed || !result.isExceeded) return undefined;
    const detail = `more than ${max} ${what} in ${windowMs / 1000} s`;
    return { reason: 'rate_limited', detail, retryAfterSeconds: Math.max(1, result.ttlInSeconds) };
  };
}
