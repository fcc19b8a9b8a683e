type AgentFailureOptions = ErrorOptions & {
  readonly retryAfterMs?: number | undefined;
  readonly auditId?: string | undefined;
  readonly isFinal?: boolean;
};

/** The agent could not do one of its parts. The message holds no JWT and no token. */
export class AgentFailure extends Error {
  /** How long the service asked to wait, milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** The record of the service's refusal. */
  readonly auditId: string | undefined;
  /** Whether the same request will fail again for as long as nobody changes anything. */
  readonly isFinal: boolean;
  /** The log needs no stack to tell where it comes from. */
  readonly isExpected = true;

  constructor(message: string, options: AgentFailureOptions = {}) {
    super(message, options);
    this.name = 'AgentFailure';
    this.retryAfterMs = options.retryAfterMs;
    this.auditId = options.auditId;
    this.isFinal = options.isFinal ?? false;
  }
}
