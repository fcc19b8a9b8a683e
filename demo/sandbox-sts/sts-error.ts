/** A request that STS refuses: the HTTP status, AWS's error code, and the message. */
export class StsError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'StsError';
    this.status = status;
    this.code = code;
  }
}

export function validationError(message: string): StsError {
  return new StsError(400, 'ValidationError', message);
}

/** A parameter that breaks a constraint, in AWS's words. */
export function constraintError(value: string, member: string, constraint: string): StsError {
  return validationError(
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: ${constraint}`,
  );
}

export function accessDenied(message: string): StsError {
  return new StsError(403, 'AccessDenied', message);
}
