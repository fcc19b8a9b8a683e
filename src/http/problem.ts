import { randomInt } from 'node:crypto';
import type { Fault } from '../issuance/fault.ts';
import type { Choice, FieldProblem, Refusal } from '../issuance/refusal.ts';

/** An RFC 9457 problem document. `type` is stable; programs compare it, people read the rest. */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly audit_id?: string;
  readonly problems?: readonly FieldProblem[];
  readonly choices?: readonly Choice[];
  readonly choices_omitted?: number;
};

export type ProblemAnswer = { readonly problem: Problem; readonly headers: Readonly<Record<string, string>> };

const PREFIX = 'urn:rds-token-vendor:problem:';
const REALM = 'Bearer realm="rds-token-vendor"';
const MAX_CHOICES = 100;

/**
 * The only place where a refusal becomes a status and public words. What a caller may not learn (why its token is bad,
 * whether a database exists) is not in the answer: those refusals have one body each. No default arm: a new refusal
 * does not compile until it has one here.
 */
export function refusalProblem(refusal: Refusal, auditId: string): ProblemAnswer {
  switch (refusal.reason) {
    case 'authorization_repeated':
      return answer(
        400,
        'authorization-repeated',
        'Several Authorization headers',
        'Send one Authorization header.',
        auditId,
        {
          'www-authenticate': `${REALM}, error="invalid_request"`,
        },
      );
    case 'token_missing':
      return unauthorized(auditId, REALM);
    case 'token_invalid':
      return unauthorized(auditId, `${REALM}, error="invalid_token"`);
    case 'request_malformed': {
      const made = answer(
        400,
        'request-malformed',
        'The request is malformed',
        'See problems for each field.',
        auditId,
      );
      return { ...made, problem: { ...made.problem, problems: refusal.problems } };
    }
    case 'choice_ambiguous': {
      const detail = 'Several choices are left; name the fields that choose one.';
      const made = answer(400, 'choice-ambiguous', 'The choice is ambiguous', detail, auditId);
      const choices = refusal.choices.slice(0, MAX_CHOICES);
      const omitted = refusal.choices.length - choices.length;
      return { ...made, problem: { ...made.problem, choices, ...(omitted > 0 ? { choices_omitted: omitted } : {}) } };
    }
    case 'not_granted':
      return answer(403, 'not-granted', 'Not granted', 'No grant allows this.', auditId, {
        'www-authenticate': `${REALM}, error="insufficient_scope"`,
      });
    case 'client_unfit':
      return answer(422, 'client-unfit', 'The token does not fit', `${refusal.detail}.`, auditId);
    case 'event_not_found':
      return answer(404, 'event-not-found', 'No such audit record', 'The store holds no record of this id.', auditId);
    case 'rate_limited':
      return answer(429, 'rate-limited', 'Too many requests', 'Wait for Retry-After seconds.', auditId, {
        'retry-after': String(refusal.retryAfterSeconds),
      });
    case 'body_too_large':
      return answer(413, 'body-too-large', 'The body is too large', 'A body may have 16 KiB.', auditId);
    case 'media_type_unsupported': {
      const detail = 'Send application/json or application/x-www-form-urlencoded, in UTF-8.';
      return answer(415, 'media-type-unsupported', 'Unsupported media type', detail, auditId);
    }
  }
}

function unauthorized(auditId: string, challenge: string): ProblemAnswer {
  const detail = 'Send a valid JWT of a configured issuer as a bearer token.';
  return answer(401, 'token-invalid', 'No valid token', detail, auditId, { 'www-authenticate': challenge });
}

/** Our own inability: 503 and when to try again. What exactly failed is in the audit record and in the log. */
export function faultProblem(fault: Fault, auditId?: string): ProblemAnswer {
  const type = `unavailable:${fault.code.replaceAll('_', '-')}`;
  const detail = 'The service cannot do its part now. Try again after Retry-After seconds.';
  return answer(503, type, 'Temporarily unavailable', detail, auditId, {
    'retry-after': String(fault.retryAfterSeconds),
  });
}

/** The longest that somebody who was turned away is asked to wait, seconds. */
const OVERLOAD_WAIT = 3;

/** Too much is under way. Waits differ, so that those who were turned away together do not come back together. */
export function overloadProblem(): ProblemAnswer {
  const detail = 'Too much is under way. Try again after Retry-After seconds.';
  return answer(503, 'unavailable:overloaded', 'Temporarily unavailable', detail, undefined, {
    'retry-after': String(randomInt(1, OVERLOAD_WAIT + 1)),
  });
}

const NOT_FOUND = { status: 404, title: 'Not found', detail: 'There is nothing at this address.' };

/** Failures of addresses that decide nothing, and so leave no record. */
export function notFoundProblem(detail: string = NOT_FOUND.detail): ProblemAnswer {
  return answer(404, 'not-found', NOT_FOUND.title, detail);
}

export function methodNotAllowedProblem(allowed: readonly string[]): ProblemAnswer {
  const allow = allowed.join(', ');
  return answer(405, 'method-not-allowed', 'Method not allowed', `Allowed here: ${allow}.`, undefined, { allow });
}

/** A request that the HTTP parser refused, by Node's error code. */
export function transportProblem(code: string | undefined): ProblemAnswer {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return answer(431, 'headers-too-large', 'The headers are too large', 'All headers together may have 32 KiB.');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return answer(408, 'request-timeout', 'Request timeout', 'The request did not arrive in time.');
  }
  return answer(400, 'request-unreadable', 'Not a readable HTTP request', 'The request is not valid HTTP/1.1.');
}

function answer(
  status: number,
  type: string,
  title: string,
  detail: string,
  auditId?: string,
  headers: Readonly<Record<string, string>> = {},
): ProblemAnswer {
  const problem = {
    type: PREFIX + type,
    title,
    status,
    detail,
    ...(auditId === undefined ? {} : { audit_id: auditId }),
  };
  return { problem, headers: { 'cache-control': 'no-store', ...headers } };
}
