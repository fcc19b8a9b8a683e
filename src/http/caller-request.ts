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
  { rates, thumbprintOf }: Service,
  limits: RateLimits,
): CallerRequest {
  const facts = requestFacts(action, request);
  const credentials = credentialsOf(request, thumbprintOf);
  const sender = { clientAddress: facts.clientAddress, credentials };
  return {
    facts,
    credentials,
    admitSender: (verify) => limits.senders.admit(sender, rates.perAddress, verify),
    admitCaller: ({ issuer, subject }) => limits.perCaller(request, callerKey(issuer, subject), rates.perCaller),
  };
}
