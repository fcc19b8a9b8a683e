import type { CredentialSource } from './credential-source.ts';
import type { OwnCredentials } from './provider-chain.ts';
import type { CallerIdentity } from './sts-calls.ts';

/** Who the service is at AWS. Nothing of it is secret. */
export type OwnIdentity = {
  /** The link of the provider chain. */
  readonly origin: string;
  readonly access_key_id: string;
  /** null while STS was not asked or has not answered. */
  readonly account: string | null;
  readonly arn: string | null;
  /** RFC 3339; null for keys that do not end. */
  readonly expires_at: string | null;
};

/** Told once for each identity; `error` when STS did not say who it is. */
export type IdentityEvent = {
  readonly identity: OwnIdentity;
  /** Keys of a user, which nobody renews. */
  readonly isStatic: boolean;
  readonly error: unknown;
};

export type OwnIdentityOptions = {
  readonly source: CredentialSource<OwnCredentials>;
  /** Asks STS; undefined leaves the account and the ARN unknown. */
  readonly ask: ((credentials: OwnCredentials) => Promise<CallerIdentity>) | undefined;
  readonly onEvent: (event: IdentityEvent) => void;
};

const LONGEST_WAIT = 64;

/** Finds out who the service is at AWS. */
export function createOwnIdentity({ source, ask, onEvent }: OwnIdentityOptions) {
  let told: string | undefined;
  let known: (CallerIdentity & { readonly whose: string }) | undefined;
  /** Refreshes to let pass before STS is asked again, after so many failures in a row. */
  let waits = 0;
  let failures = 0;

  function describe(): OwnIdentity | undefined {
    const kept = source.peek()?.credentials;
    if (kept === undefined) return undefined;
    const own = known?.whose === whoseOf(kept) ? known : undefined;
    return {
      origin: kept.origin,
      access_key_id: kept.accessKeyId,
      account: own?.account ?? null,
      arn: own?.arn ?? null,
      expires_at: kept.expiresAt === null ? null : new Date(kept.expiresAt).toISOString(),
    };
  }

  async function identify(credentials: OwnCredentials, whose: string): Promise<unknown> {
    if (ask === undefined) return undefined;
    try {
      known = { ...(await ask(credentials)), whose };
      failures = 0;
      return undefined;
    } catch (error) {
      waits = Math.min(2 ** failures, LONGEST_WAIT);
      failures += 1;
      return error;
    }
  }

  return {
    /** For the log and `/readyz`; undefined before there are credentials. */
    describe,
    /**
     * Looks whose the credentials in use are, where that is not known yet. Called again and again.
     *
     * @throws {Fault} when there are no credentials
     */
    async refresh(): Promise<void> {
      const credentials = await source.resolve(0);
      const whose = whoseOf(credentials);
      if (known?.whose === whose || (ask === undefined && told === whose)) return;
      if (told === whose && waits-- > 0) return;
      const error = await identify(credentials, whose);
      const identity = describe();
      // A failure is told once, and what comes after it too.
      if (identity === undefined || (told === whose && error !== undefined)) return;
      told = whose;
      onEvent({ identity, isStatic: isStatic(credentials), error });
    },
  };
}

/** The keys of a session change with every renewal; whose they are does not. */
function whoseOf(credentials: OwnCredentials): string {
  return isStatic(credentials) ? `${credentials.origin} ${credentials.accessKeyId}` : credentials.origin;
}

function isStatic({ expiresAt, sessionToken }: OwnCredentials): boolean {
  return expiresAt === null && sessionToken === null;
}
