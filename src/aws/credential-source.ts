import type { SigningCredentials } from '../issuance/auth-token.ts';
import { asFault, Fault } from '../issuance/fault.ts';
import type { Clock } from './clock.ts';
import { createKeptCredentials, type KeptCredentials } from './kept-credentials.ts';

/** The service's own AWS credentials, kept fresh. */
export type CredentialSource<Own extends SigningCredentials = SigningCredentials> = {
  /** Credentials that live at least `minLifeMs`; throws a `Fault` when there are none. */
  resolve(minLifeMs?: number): Promise<Own>;
  peek: KeptCredentials<Own>['peek'];
};

export type CredentialSourceOptions<Own extends SigningCredentials> = {
  /** Asks the provider chain afresh; it must not answer from a cache of its own. */
  readonly load: () => Promise<Own>;
  readonly clock: Clock;
  readonly onFailure: (fault: Fault) => void;
};

/** A token lives as long as its credentials at most, so that they are renewed while they cover its 900 s. */
const RENEW_BELOW_MS = 20 * 60_000;
const MIN_LIFE_MS = 60_000;
/** Sources such as IMDS hand out the same credentials until shortly before their end: ask, but not at every request. */
const RETRY_MS = 10_000;
/** Nobody needs an answer at once while the old ones live. */
const RETRY_ALIVE_MS = 30_000;

/** Keeps what the provider chain gives. */
export function createCredentialSource<Own extends SigningCredentials>({
  load,
  clock,
  onFailure,
}: CredentialSourceOptions<Own>): CredentialSource<Own> {
  const kept = createKeptCredentials<Own>({
    clock,
    renewBelowMs: () => RENEW_BELOW_MS,
    retryMs: (alive) => (alive ? RETRY_ALIVE_MS : RETRY_MS),
    origin: 'the AWS provider chain',
    onFailure,
  });
  const ask = () => load().catch(failed);
  return {
    resolve: (minLifeMs = MIN_LIFE_MS) => kept.take({ minLifeMs, load: ask }),
    peek: () => kept.peek(),
  };
}

function failed(error: unknown): never {
  const fault = asFault(error);
  throw fault.code === 'internal'
    ? new Fault('credentials_unavailable', 'no source of the AWS provider chain gave credentials', { cause: error })
    : fault;
}
