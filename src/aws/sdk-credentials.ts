import type { SigningCredentials } from '../issuance/auth-token.ts';

/** What the SDK's providers give. */
export type SdkCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
  readonly originalExpiration?: Date;
};

export function asSigningCredentials(credentials: SdkCredentials): SigningCredentials {
  // While instance metadata is down the SDK stretches `expiration`; AWS honours only the original.
  const expiration = credentials.originalExpiration ?? credentials.expiration;
  return {
    accessKeyId: credentials.accessKeyId,
    secretAccessKey: credentials.secretAccessKey,
    sessionToken: credentials.sessionToken ?? null,
    expiresAt: expiration?.getTime() ?? null,
  };
}

/** As the SDK's clients take credentials. */
export function asSdkCredentials({
  accessKeyId,
  secretAccessKey,
  sessionToken,
  expiresAt,
}: SigningCredentials): SdkCredentials {
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === null ? {} : { sessionToken }),
    ...(expiresAt === null ? {} : { expiration: new Date(expiresAt) }),
  };
}
