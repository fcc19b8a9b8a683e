import type { FastifyRequest } from 'fastify';
import type { Action } from '../issuance/audit-record.ts';
import type { CallerRequest } from '../issuance/authenticate-caller.ts';
import type { RateLimits } from './rate-limits.ts';
import { credentialsOf, requestFacts } from './request-facts.ts';
import { callerKey, type Service } from './service.ts';

/** The part of a decision that every request of a caller has. */
export function callerRequestOf(
  action: Action,
  request: FastifyRequest,
  { rates }: Service,
  limits: RateLimits,
): CallerRequest {
  return {
    facts: requestFacts(action, request),
    credentials: credentialsOf(request),
    admitSender: () => undefined,
    admitCaller: ({ issuer, subject }) => limits.perCaller(request, callerKey(issuer, subject), rates.perCaller),
  };
}
