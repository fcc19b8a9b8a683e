import { StsError } from './sts-error.ts';

/** The issuer (the JWT's `iss`), subject and audience of a JWT, or AWS's error code. */
export type VerifyJwt = (jwt: string) => Promise<WebIdentity | string>;
export type WebIdentity = { readonly provider: string; readonly subject: string; readonly audience: string };

const MESSAGES = new Map([
  [
    'InvalidIdentityToken',
    "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements",
  ],
  ['ExpiredTokenException', 'Token expired'],
  ['IDPRejectedClaim', 'The identity provider rejected the claim'],
  ['IDPCommunicationError', 'An error occurred while communicating with the identity provider'],
]);

export async function verifyWebIdentity(jwt: string, verifyJwt: VerifyJwt | undefined): Promise<WebIdentity> {
  const identity = verifyJwt ? await verifyJwt(jwt) : 'InvalidIdentityToken';
  if (typeof identity !== 'string') return identity;
  const status = identity === 'IDPRejectedClaim' ? 403 : 400;
  throw new StsError(status, identity, MESSAGES.get(identity) ?? identity);
}
