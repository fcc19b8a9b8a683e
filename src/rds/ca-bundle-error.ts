/** A start that cannot go on: a CA bundle in use is missing, unreadable or not what the operator configured. */
export class CaBundleError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = 'CaBundleError';
  }
}
