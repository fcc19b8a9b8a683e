import type { SigningCredentials } from '../issuance/auth-token.ts';

/**
 * Asks the AWS SDK's standard chain once: environment, profile, web identity (IRSA), container (EKS Pod Identity, ECS),
 * instance metadata. A fresh chain each time, because a chain remembers its credentials until 5 minutes before their end.
 *
 * @param region of STS where the environment names none
 */
export async function loadFromProviderChain(region: string | undefined): Promise<SigningCredentials> {
  // Loaded on first use: the chain's packages cost more start time than the rest of the service.
  const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
  const provider = fromNodeProviderChain(region === undefined ? {} : { clientConfig: { region } });
  const credentials: Credentials = await provider();
  // While instance metadata is down the SDK stretches `expiration`; AWS honours only the original.
  const expiration = credentials.originalExpiration ?? credentials.expiration;
  return {
    accessKeyId: credentials.accessKeyId,
    secretAccessKey: credentials.secretAccessKey,
    sessionToken: credentials.sessionToken ?? null,
    expiresAt: expiration?.getTime() ?? null,
  };
}

type Credentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
  readonly originalExpiration?: Date;
};
