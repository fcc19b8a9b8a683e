import { readFile } from 'node:fs/promises';
import type { Claims, JsonValue } from '../issuance/caller.ts';
import { parseStrictJson } from '../issuance/strict-json.ts';
import { type AdmittedKeys, admitKeys } from './admit-keys.ts';
import { fetchJson, MAX_ANSWER_BYTES } from './fetch-json.ts';

/** Where an issuer's keys come from. */
export type KeySource = {
  /** The issuer URL, exactly as its tokens' `iss` has it. */
  readonly issuer: string;
  /** `discovery` reads `jwks_uri` from the issuer's OpenID configuration at each load. */
  readonly jwks: { readonly kind: 'discovery' } | { readonly kind: 'url' | 'file'; readonly location: string };
  /** PEM file with the CAs to trust for the issuer's https. */
  readonly caFile?: string | undefined;
};

/**
 * Loads an issuer's keys once.
 *
 * @throws {Error} when they cannot be had; the message is for operators
 */
export async function loadKeySet({ issuer, jwks, caFile }: KeySource): Promise<AdmittedKeys> {
  if (jwks.kind === 'file') return admitKeys(await readKeyFile(jwks.location));
  const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8');
  const url = jwks.kind === 'url' ? jwks.location : await discoverKeySetUrl(issuer, ca);
  return admitKeys(await fetchJson(url, ca));
}

async function readKeyFile(path: string): Promise<string> {
  const bytes = await readFile(path);
  if (bytes.length > MAX_ANSWER_BYTES) throw new Error(`${path} is larger than ${MAX_ANSWER_BYTES} bytes`);
  return bytes.toString('utf8');
}

/** OpenID Connect Discovery 1.0 §4: the document must name the very issuer it was asked for. */
async function discoverKeySetUrl(issuer: string, ca: string | undefined): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const document = parseStrictJson(await fetchJson(url, ca));
  const { issuer: named, jwks_uri: keySetUrl } = asMembers(document);
  if (named !== issuer) throw new Error(`${url} is the configuration of another issuer`);
  if (typeof keySetUrl !== 'string' || !URL.canParse(keySetUrl)) throw new Error(`${url} names no jwks_uri`);
  // An https issuer may not send us to plain http; only a loopback http issuer may name a loopback http address.
  if (new URL(keySetUrl).protocol !== 'https:' && !(isLoopbackHttp(issuer) && isLoopbackHttp(keySetUrl))) {
    throw new Error(`${url} names a jwks_uri that is not https`);
  }
  return keySetUrl;
}

function asMembers(value: JsonValue): Claims {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};
}

function isLoopbackHttp(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && (hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname));
}
