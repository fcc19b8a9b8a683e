import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Refusal } from '../issuance/refusal.ts';

/** At most `max` within each window of `windowMs`. */
export type Rate = { readonly max: number; readonly windowMs: number };

/** The rates of the configuration in force. */
export type Rates = { readonly perCaller: Rate; readonly perDatabase: Rate; readonly perAddress: Rate };

/** Counts one request under a key; a refusal when the key has had too many. */
export type AdmitByRate = (request: FastifyRequest, key: string, rate: Rate) => Promise<Refusal | undefined>;

export type RateLimits = {
  readonly perCaller: AdmitByRate;
  readonly perDatabase: AdmitByRate;
  readonly perGrant: AdmitByRate;
};

/** Creates the limits of this process. They are asked inside the decision, after the caller is verified. */
export async function createRateLimits(app: FastifyInstance): Promise<RateLimits> {
  await app.register(rateLimit, { global: false });
  return {
    perCaller: createLimit(app, 'requests of one caller'),
    perDatabase: createLimit(app, 'tokens for one database'),
    perGrant: createLimit(app, 'tokens of one grant'),
  };
}

function createLimit(app: FastifyInstance, what: string): AdmitByRate {
  // The library takes its key and rate from the request; ours are known only to the decision.
  const asked = new WeakMap<FastifyRequest, { readonly key: string; readonly rate: Rate }>();
  const check = app.createRateLimit({
    max: (request) => asked.get(request)?.rate.max ?? 0,
    timeWindow: (request) => asked.get(request)?.rate.windowMs ?? 1000,
    keyGenerator: (request) => asked.get(request)?.key ?? '',
  });
  return async (request, key, rate) => {
    const { max, windowMs } = rate;
    asked.set(request, { key, rate });
    const result = await check(request);
    if (result.isAllowed || !result.isExceeded) return undefined;
    const detail = `more than ${max} ${what} in ${windowMs / 1000} s`;
    return { reason: 'rate_limited', detail, retryAfterSeconds: Math.max(1, result.ttlInSeconds) };
  };
}
