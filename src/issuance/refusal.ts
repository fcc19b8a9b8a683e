/** One way a field of the request is wrong. `field` is a JSON path such as `user`; '' is the whole body. */
export type FieldProblem = { readonly field: string; readonly message: string };

/** One database user at one endpoint that the caller may ask for. */
export type Choice = { readonly database: string; readonly user: string; readonly endpoint: string };

/**
 * A decision not to give what was asked: a value, not an exception. `detail` is evidence for operators and stays in the audit record;
 * `http/problem.ts` decides what the caller reads.
 */
export type Refusal =
  | { readonly reason: 'authorization_repeated'; readonly detail: string }
  | { readonly reason: 'token_missing'; readonly detail: string }
  | { readonly reason: 'token_invalid'; readonly detail: string }
  | { readonly reason: 'request_malformed'; readonly detail: string; readonly problems: readonly FieldProblem[] }
  | { readonly reason: 'choice_ambiguous'; readonly detail: string; readonly choices: readonly Choice[] }
  /** `grant` is the one that denies it, if one does. */
  | { readonly reason: 'not_granted'; readonly detail: string; readonly grant?: string | null }
  /** No token fits what it was asked for; `detail` is told to the caller, who may have one. */
  | { readonly reason: 'client_unfit'; readonly detail: string }
  | { readonly reason: 'event_not_found'; readonly detail: string }
  | { readonly reason: 'rate_limited'; readonly detail: string; readonly retryAfterSeconds: number }
  | { readonly reason: 'body_too_large'; readonly detail: string }
  | { readonly reason: 'media_type_unsupported'; readonly detail: string };

/** Either a value or the reason there is none. */
export type Decided<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal };

export function accept<T>(value: T): Decided<T> {
  return { ok: true, value };
}

export function refuse(refusal: Refusal): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal };
}
