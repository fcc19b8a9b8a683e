import { Signer } from '@aws-sdk/rds-signer';
import type { AuthToken, SignAuthToken, SigningCredentials } from '../issuance/auth-token.ts';
import { Fault } from '../issuance/fault.ts';
import { checkAuthToken, TOKEN_LIFE_SECONDS } from './check-auth-token.ts';
import { checkSignerInput, type SignerInput } from './signer-input.ts';

/**
 * Signs with `@aws-sdk/rds-signer`, locally: no AWS call is made. The library reads the process clock and takes none
 * from outside, so a token's own `X-Amz-Date` is its `issuedAt`; `now` decides whether the credentials still live, and
 * `checkAuthToken` refuses a token dated far from it.
 */
export function createAuthTokenSigner(): SignAuthToken {
  return async function signAuthToken({ endpoint, region, user, credentials, now }): Promise<AuthToken> {
    refuseExpired(credentials, now);
    const input = checkSignerInput({ endpoint, region, user, credentials });
    const token = await sign(input, credentials);
    const { accessKeyId, sessionToken } = credentials;
    const issuedAt = checkAuthToken(token, { ...input, accessKeyId, sessionToken, now });
    refuseExpired(credentials, issuedAt);
    return { token, issuedAt, ...lifeOf(issuedAt, credentials) };
  };
}

/** The library signs with expired credentials without a word; RDS then refuses the token as a wrong password. */
function refuseExpired({ expiresAt }: SigningCredentials, now: number): void {
  if (expiresAt !== null && !(expiresAt > now)) {
    throw new Fault('credentials_expiring', 'the AWS credentials have expired');
  }
}

async function sign({ host, port, region, user }: SignerInput, credentials: SigningCredentials): Promise<string> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  if (accessKeyId === '' || secretAccessKey === '') throw new Fault('signing_failed', 'an AWS key is empty');
  // Credentials without `expiration`: the library must not try to refresh what the resolver has decided.
  const identity = { accessKeyId, secretAccessKey, ...(sessionToken === null ? {} : { sessionToken }) };
  try {
    return await new Signer({ hostname: host, port, region, username: user, credentials: identity }).getAuthToken();
  } catch (cause) {
    throw new Fault('signing_failed', 'the signing library failed', { cause });
  }
}

function lifeOf(issuedAt: number, credentials: SigningCredentials): Pick<AuthToken, 'expiresAt' | 'limitedBy'> {
  const rds = issuedAt + TOKEN_LIFE_SECONDS * 1000;
  const { expiresAt } = credentials;
  if (expiresAt !== null && expiresAt < rds) return { expiresAt, limitedBy: 'credentials' };
  return { expiresAt: rds, limitedBy: 'rds' };
}
