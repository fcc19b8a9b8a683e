/** The agent could not do one of its parts. The message holds no JWT and no token. */
export class AgentFailure extends Error {
  /** How long the service asked to wait, milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: ErrorOptions & { readonly retryAfterMs?: number | undefined } = {}) {
    super(message, options);
    this.name = 'AgentFailure';
    this.retryAfterMs = options.retryAfterMs;
  }
}
