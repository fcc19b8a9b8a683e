import type { Claims, JsonValue } from '../issuance/caller.ts';

/** 32 bytes in base64url without padding. The last character carries four bits, so two of its six are zero. */
const SHA256_BASE64URL = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/**
 * Checks that a token bound to its sender comes from it, or says in one phrase why it is refused. `cnf.x5t#S256` is the
 * SHA-256 of the client's TLS certificate (RFC 8705 §3.1). A token bound in another way (RFC 7800: a key of DPoP's,
 * say) would be worth less here than whoever bound it meant, so it is refused, and so is one bound in several ways.
 *
 * @param thumbprint of the certificate that the client proved in TLS, base64url; null without one
 */
export function checkConfirmation({ cnf }: Claims, thumbprint: string | null): string | undefined {
  if (cnf === undefined) return undefined;
  const members = membersOf(cnf);
  const [method, ...more] = Object.keys(members);
  if (method !== 'x5t#S256' || more.length > 0) return 'its cnf is not one x5t#S256';
  const expected = members['x5t#S256'];
  // A hash that has one spelling is compared as text. Other spellings are told apart from other certificates, for the record.
  if (typeof expected !== 'string' || !SHA256_BASE64URL.test(expected)) {
    return 'its x5t#S256 is not a SHA-256 in base64url without padding';
  }
  if (thumbprint === null) return 'it is bound to a certificate, and the client sent none';
  // No secret: whoever may see the certificate can compute it.
  return expected === thumbprint ? undefined : "it is bound to another certificate than the client's";
}

function membersOf(value: JsonValue): Claims {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};
}
