import { createHash } from 'node:crypto';
import type { AuditDraft, RequestFacts } from './audit-record.ts';
import type { Caller } from './caller.ts';
import type { Circumstances } from './circumstances.ts';
import type { Decided, Refusal } from './refusal.ts';

/** What a request came with to say who sends it. Nothing of it is believed yet. */
export type Credentials = {
  /** Every `Authorization` header value, in order. */
  readonly authorization: readonly string[];
  /** SHA-256 of the client's TLS certificate, base64url, once TLS has verified it; null without one. */
  readonly certificateThumbprint: string | null;
};

/** The token of exactly one `Authorization: Bearer`; undefined for anything else. */
export function bearerOf({ authorization }: Pick<Credentials, 'authorization'>): string | undefined {
  const [value, ...more] = authorization;
  return value === undefined || more.length > 0 ? undefined : /^bearer +([^\s,]+)$/i.exec(value.trim())?.[1];
}

/** Verifies the bearer of a request. */
export type Authenticate = (credentials: Credentials, now: number) => Promise<Decided<Caller>>;

/** What every request of a caller has. The functions are the transport's part of the decision. */
export type CallerRequest = {
  readonly facts: RequestFacts;
  readonly credentials: Credentials;
  /**
   * Verifies, unless the sender has sent too much that was no good: then it refuses, and no signature is verified. It
   * learns from what the verification gives, and passes it on.
   */
  readonly admitSender: (verify: () => Promise<Decided<Caller>>) => Promise<Decided<Caller>>;
  /** A refusal when the caller has asked too often. */
  readonly admitCaller: (caller: Caller) => Promise<Refusal | undefined>;
};

/** Finds out who asks, and puts it on the record. */
export async function authenticateCaller(
  authenticate: Authenticate,
  request: CallerRequest,
  now: number,
  draft: AuditDraft,
): Promise<Decided<Caller>> {
  const authenticated = await request.admitSender(() => authenticate(request.credentials, now));
  if (!authenticated.ok) return authenticated;
  noteCaller(draft, authenticated.value);
  const refusedCaller = await request.admitCaller(authenticated.value);
  return refusedCaller ? { ok: false, refusal: refusedCaller } : authenticated;
}

export function circumstancesOf({ facts }: CallerRequest, now: number): Circumstances {
  return { now, clientAddress: facts.clientAddress };
}

function noteCaller(draft: AuditDraft, caller: Caller): void {
  draft.issuer = caller.issuer;
  draft.subject = caller.subject;
  draft.claims = caller.keptClaims;
  const { jti } = caller.claims;
  if (typeof jti === 'string') draft.jtiHash = createHash('sha256').update(jti).digest('hex');
}
