import type { Claims, JsonValue } from '../issuance/caller.ts';
import { parseStrictJson } from '../issuance/strict-json.ts';

const MAX_ADDRESS_LENGTH = 2048;

/**
 * The address of an issuer's key set, from its OpenID configuration (OpenID Connect Discovery 1.0 §4): the document must
 * name the very issuer it was asked for.
 *
 * @throws {Error} when it names none that may be fetched
 */
export async function discoverKeySetUrl(issuer: string, fetchText: (url: string) => Promise<string>): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const document = readDocument(await fetchText(url), url);
  const { issuer: named, jwks_uri: address } = asMembers(document);
  if (named !== issuer) throw new Error(`${url} is the configuration of another issuer`);
  if (typeof address !== 'string' || address.length > MAX_ADDRESS_LENGTH || !URL.canParse(address)) {
    throw new Error(`${url} names no jwks_uri`);
  }
  const { href, protocol, username, password } = new URL(address);
  if (username !== '' || password !== '') throw new Error(`${url} names a jwks_uri with user information`);
  // An https issuer may not send us to plain http; only a loopback http issuer may name a loopback http address.
  if (protocol !== 'https:' && !(isLoopbackHttp(issuer) && isLoopbackHttp(href))) {
    throw new Error(`${url} names a jwks_uri that is not https`);
  }
  return href;
}

/** Whether what is sent to an address over plain http leaves no machine. */
export function isLoopbackHttp(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && (hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname));
}

function readDocument(text: string, url: string): JsonValue {
  try {
    return parseStrictJson(text);
  } catch (error) {
    throw new Error(`${url} is no JSON document: ${error instanceof Error ? error.message : 'unknown'}`, {
      cause: error,
    });
  }
}

function asMembers(value: JsonValue): Claims {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};
}
