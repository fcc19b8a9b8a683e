import type { Claims, JsonValue } from './caller.ts';

/** The Kubernetes service account that a token was made for. */
export type Workload = { readonly namespace: string; readonly serviceAccount: string };

/** A namespace is a DNS label (RFC 1123), a service account a DNS name; neither can hold a colon. */
const SUBJECT =
  /^system:serviceaccount:([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?):([a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?)$/;

/**
 * Reads the service account of a Kubernetes token, or says in one phrase why it is none. Its `sub` and its
 * `kubernetes.io` claims must agree: TokenRequest writes both from the same object, so a token whose parts differ is not
 * one of its tokens. Those of old, which live in secrets for ever, have no such claims at all.
 *
 * That a pod, a node or a secret is named too is not required: `kubectl create token` makes tokens of an account alone.
 * They end with their `exp`, or sooner with the account where the cluster is asked (TokenReview).
 *
 * Source: kubernetes/kubernetes pkg/serviceaccount/claims.go.
 */
export function workloadOf(claims: Claims): Workload | string {
  const { sub } = claims;
  const [, namespace, serviceAccount] = SUBJECT.exec(typeof sub === 'string' ? sub : '') ?? [];
  if (namespace === undefined || serviceAccount === undefined) return 'the sub is not that of a service account';
  const bound = membersOf(claims['kubernetes.io']);
  if (bound === undefined) return 'it has no kubernetes.io claims';
  if (bound['namespace'] !== namespace) return 'its kubernetes.io.namespace is not that of the sub';
  if (membersOf(bound['serviceaccount'])?.['name'] !== serviceAccount) {
    return 'its kubernetes.io.serviceaccount is not that of the sub';
  }
  return { namespace, serviceAccount };
}

function membersOf(value: JsonValue | undefined): Claims | undefined {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : undefined;
}
