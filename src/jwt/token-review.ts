import type { IssuerConfig } from '../config.ts';
import type { Claims, JsonValue } from '../issuance/caller.ts';
import { Fault } from '../issuance/fault.ts';
import { createKubernetesApi } from './kubernetes-api.ts';

export type TokenReviewOptions = {
  /** What the configuration calls the issuer, for messages. */
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly apiServer: string;
  readonly tokenFile: string;
  readonly caFile: string;
};

/**
 * Asks a cluster whether one of its tokens still holds: undefined, or one phrase that says why not. Throws a `Fault` of
 * code `token_review_unavailable` when the cluster cannot be asked.
 *
 * @param token one whose signature and claims have been checked
 * @param subject its `sub`
 */
export type ReviewToken = (token: string, subject: string) => Promise<string | undefined>;

const PATH = '/apis/authentication.k8s.io/v1/tokenreviews';
const TIMEOUT_MS = 2_000;
/** Reviews at once. A cluster that is slow must not make the service hold ever more requests. */
const MAX_UNDER_WAY = 100;

/**
 * Creates the review of one issuer's tokens (TokenReview, authentication.k8s.io/v1). No answer is kept: every request
 * has its token reviewed anew, but the same token asked about while a review of it is under way shares that one.
 *
 * Source: kubernetes/kubernetes staging/src/k8s.io/api/authentication/v1/types.go.
 */
export function createTokenReview(options: TokenReviewOptions): ReviewToken {
  const { issuer, audiences } = options;
  const create = createKubernetesApi({ ...options, connections: MAX_UNDER_WAY, timeoutMs: TIMEOUT_MS });
  const underWay = new Map<string, Promise<string | undefined>>();

  async function ask(token: string, subject: string): Promise<string | undefined> {
    const object = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token, audiences: [...audiences] },
    };
    try {
      return readReview(await create(PATH, object), token, subject, audiences);
    } catch (error) {
      const why = error instanceof Error ? error.message : 'unknown failure';
      throw new Fault('token_review_unavailable', `the cluster of issuer ${issuer} cannot review tokens: ${why}`, {
        cause: error,
      });
    }
  }

  return (token, subject) => {
    const same = underWay.get(token);
    if (same) return same;
    if (underWay.size >= MAX_UNDER_WAY) {
      const message = `${MAX_UNDER_WAY} reviews by the cluster of issuer ${issuer} are under way`;
      return Promise.reject(new Fault('token_review_unavailable', message, { retryAfterSeconds: 1 }));
    }
    const review = ask(token, subject).finally(() => underWay.delete(token));
    underWay.set(token, review);
    return review;
  };
}

/**
 * The review that an issuer's configuration asks for; null where it asks for none.
 *
 * @param inCluster the API server of the cluster that the service runs in
 * @throws {Error} when no API server is known
 */
export function openTokenReview(
  { name, audiences, kubernetes }: IssuerConfig,
  inCluster: string | undefined,
): ReviewToken | null {
  if (kubernetes?.tokenReview !== true) return null;
  const { tokenFile, caFile, apiServer = inCluster } = kubernetes;
  if (apiServer === undefined) {
    throw new Error(
      `issuer ${name} has tokenReview, and the service runs in no cluster (KUBERNETES_SERVICE_HOST is not set): write kubernetes.apiServer`,
    );
  }
  return createTokenReview({ issuer: name, audiences, apiServer: apiServer.replace(/\/$/, ''), tokenFile, caFile });
}

/** @throws {Error} for an answer that says nothing about the token */
function readReview(
  answer: JsonValue,
  token: string,
  subject: string,
  audiences: readonly string[],
): string | undefined {
  const { kind, status } = membersOf(answer) ?? {};
  const review = kind === 'TokenReview' ? membersOf(status) : undefined;
  if (review === undefined) throw new Error('the answer is no TokenReview with a status');
  const { authenticated = false, error = '', audiences: found = [], user } = review;
  if (typeof authenticated !== 'boolean' || typeof error !== 'string' || !Array.isArray(found)) {
    throw new Error('the status of the TokenReview is not of the documented form');
  }
  if (error !== '') return `the cluster refuses it: ${printable(error, token)}`;
  if (!authenticated) return 'the cluster does not accept it';
  // Empty from a server that does not know audiences: it has checked the token for itself, not for us.
  if (!found.some((audience) => typeof audience === 'string' && audiences.includes(audience))) {
    throw new Error('the TokenReview names none of our audiences');
  }
  return membersOf(user)?.['username'] === subject ? undefined : 'the cluster knows it as another user than its sub';
}

const MAX_ERROR_LENGTH = 200;

/** The cluster's words for the record, unless they repeat a part of the token. */
function printable(error: string, token: string): string {
  if (token.split('.').some((part) => error.includes(part))) return 'its words repeat the token';
  return error.slice(0, MAX_ERROR_LENGTH).replaceAll(/[^\x20-\x7e]/g, '?');
}

function membersOf(value: JsonValue | undefined): Claims | undefined {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : undefined;
}
