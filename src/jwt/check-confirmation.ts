import type { Claims, JsonValue } from '../issuance/caller.ts';

/**
 * Checks that a token bound to its sender comes from it, or says in one phrase why it is refused. `cnf.x5t#S256` is the
 * SHA-256 of the client's TLS certificate (RFC 8705 §3.1). A token bound in another way (RFC 7800: a key of DPoP's,
 * say) would be worth less here than whoever bound it meant, so it is refused.
 *
 * @param thumbprint of the certificate that the client proved in TLS, base64url; null without one
 */
export function checkConfirmation({ cnf }: Claims, thumbprint: string | null): string | undefined {
  if (cnf === undefined) return undefined;
  const methods = Object.keys(membersOf(cnf));
  if (methods.length !== 1 || methods[0] !== 'x5t#S256') return 'its cnf is not one x5t#S256';
  const expected = membersOf(cnf)['x5t#S256'];
  if (thumbprint === null) return 'it is bound to a certificate, and the client sent none';
  return expected === thumbprint ? undefined : "it is bound to another certificate than the client's";
}

function membersOf(value: JsonValue): Claims {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};
}
