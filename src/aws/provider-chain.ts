import type { ResolvedCredentials } from '../issuance/auth-token.ts';
import { Fault } from '../issuance/fault.ts';
import { asSigningCredentials, type SdkCredentials } from './sdk-credentials.ts';

/** Which link of the chain gave the credentials. */
export type CredentialOrigin =
  | 'environment'
  | 'profile'
  | 'process'
  | 'web_identity'
  | 'container'
  | 'instance_profile';

/** The service's own credentials and where they are from. */
export type OwnCredentials = ResolvedCredentials & { readonly origin: CredentialOrigin; readonly roleArn: null };

export type ProviderChainOptions = {
  /** The environment of the process; the SDK's providers read the same one by themselves. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of STS for web identity, where the environment names none. */
  readonly region: string | undefined;
  /** Whether the role of the machine may be used. */
  readonly allowInstanceProfile: boolean;
};

type Provider = () => Promise<SdkCredentials>;

/**
 * Asks the links of the AWS SDK's standard chain, in its order, once: environment, profile (SSO and assumed roles
 * included), process, web identity (IRSA), then container (EKS Pod Identity, ECS) or instance metadata. The chain is ours
 * so that it is known which link answered, and made afresh each time, because the SDK's own remembers its credentials until 5
 * minutes before their end.
 *
 * @throws {Fault} when the role of the machine is all there is and was not allowed
 */
export async function loadFromProviderChain(options: ProviderChainOptions): Promise<OwnCredentials> {
  let last: unknown = new Error('the chain has no link');
  for (const [origin, provider] of await linksOf(options)) {
    let credentials;
    try {
      credentials = asSigningCredentials(await provider());
    } catch (error) {
      if (!mayGoOn(error)) throw error;
      last = error;
      continue;
    }
    if (origin === 'instance_profile' && !options.allowInstanceProfile)
      throw new Fault('credentials_unavailable', NOT_ALLOWED);
    return { ...credentials, origin, roleArn: null };
  }
  throw last;
}

const NOT_ALLOWED =
  'the only AWS credentials are those of the machine itself (its instance profile), and aws.allowInstanceProfile is not set';

async function linksOf({ env, region }: ProviderChainOptions): Promise<[CredentialOrigin, Provider][]> {
  // Loaded on first use: the chain's packages cost more start time than the rest of the service.
  const sdk = await import('@aws-sdk/credential-providers');
  const init = { clientConfig: region === undefined ? {} : { region } };
  const links: [CredentialOrigin, Provider][] = [
    ['profile', sdk.fromIni(init)],
    ['process', sdk.fromProcess({})],
    ['web_identity', sdk.fromTokenFile(init)],
  ];
  // As in every AWS SDK: keys in the environment come first, but for a profile that is named.
  if (!isSet(env['AWS_PROFILE'])) links.unshift(['environment', sdk.fromEnv()]);
  if (isSet(env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI']) || isSet(env['AWS_CONTAINER_CREDENTIALS_FULL_URI'])) {
    links.push(['container', sdk.fromHttp({})], ['container', sdk.fromContainerMetadata({})]);
  } else if (!isSet(env['AWS_EC2_METADATA_DISABLED']) || env['AWS_EC2_METADATA_DISABLED'] === 'false') {
    links.push(['instance_profile', sdk.fromInstanceMetadata({})]);
  }
  return links;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}

/** The SDK's providers say so of what they have nothing of; a source that is configured and fails ends the search. */
function mayGoOn(error: unknown): boolean {
  return error instanceof Error && 'tryNextLink' in error && error.tryNextLink === true;
}
