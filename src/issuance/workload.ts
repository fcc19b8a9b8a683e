import type { Claims, JsonValue } from './caller.ts';

/** The Kubernetes service account that a token was made for. */
export type Workload = { readonly namespace: string; readonly serviceAccount: string };

const SUBJECT = /^system:serviceaccount:([a-z0-9][-a-z0-9.]{0,252}):([a-z0-9][-a-z0-9.]{0,252})$/;

/**
 * Reads the service account of a Kubernetes token, or says in one phrase why it is none. Its `sub` and its
 * `kubernetes.io` claims must agree, and it must be bound to an object (a pod, a node or a secret), as TokenRequest makes
 * them: the tokens of old that live in secrets for ever have no such claims.
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
