/** What of ours was unable to do its part. Stable words: they appear in records, metrics and `/readyz`. */
export type FaultCode =
  | 'issuer_keys_unavailable'
  | 'token_review_unavailable'
  | 'credentials_unavailable'
  | 'credentials_expiring'
  | 'signing_failed'
  | 'ca_bundle_unavailable'
  | 'audit_unavailable'
  | 'limits_unavailable'
  | 'internal';

/**
 * Our own inability, as against a refusal: thrown, answered 503, never blamed on the caller.
 * `message` is for operators (record and log) and must hold no secret.
 */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly retryAfterSeconds: number;

  /** Whether its words tell what happened; those of a fault of the code itself do not. */
  get isExpected(): boolean {
    return this.code !== 'internal';
  }

  constructor(code: FaultCode, message: string, options: { cause?: unknown; retryAfterSeconds?: number } = {}) {
    super(message, { cause: options.cause });
    this.name = 'Fault';
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds ?? 5;
  }
}

/** An unexpected exception is our inability too. Its message may quote anything, so it stays in `cause`. */
export function asFault(error: unknown): Fault {
  return error instanceof Fault ? error : new Fault('internal', 'an unexpected error', { cause: error });
}
