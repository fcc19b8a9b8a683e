import { StsError } from './sts-error.ts';
import { type Answer, failure, success } from './xml.ts';

/** What goes wrong with a request. */
export type SandboxStsFault =
  | 'throttle'
  | 'server_error'
  | 'unavailable'
  | 'hang'
  | 'reset'
  | 'not_xml'
  | 'no_credentials'
  | 'expired'
  | 'region_disabled'
  | { readonly delayMs: number };

/**
 * The answer of a fault that answers on its own. undefined when the request is to be served after all: late, with
 * a session that is over, or without a fault.
 */
export function answerOfFault(
  fault: Exclude<SandboxStsFault, 'hang' | 'reset'> | undefined,
  action: string,
): Answer | undefined {
  switch (fault) {
    case 'throttle':
      return failure(new StsError(400, 'Throttling', 'Rate exceeded'));
    case 'server_error':
      return failure(new StsError(500, 'InternalFailure', 'We encountered an internal error. Please try again.'));
    case 'unavailable':
      return failure(new StsError(503, 'ServiceUnavailable', 'Service Unavailable'));
    case 'region_disabled':
      return failure(
        new StsError(
          403,
          'RegionDisabledException',
          'STS is not activated in this region for account. Your account administrator can activate STS in this region ' +
            'using the IAM Console.',
        ),
      );
    case 'not_xml':
      return { status: 200, headers: { 'content-type': 'text/html' }, body: '<!DOCTYPE html><title>Sign in<p>Hello' };
    case 'no_credentials':
      return success(action, {});
    case 'expired':
    case undefined:
      return undefined;
  }
  return undefined;
}
