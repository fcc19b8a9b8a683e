import { type AdmittedKeys, admitKeys } from './admit-keys.ts';
import { discoverKeySetUrl, isLoopbackHttp } from './discover-key-set.ts';
import { fetchJson, MAX_ANSWER_BYTES } from './fetch-json.ts';
import { readSmallFile } from './read-small-file.ts';

/** Where an issuer's keys come from. */
export type KeySource = {
  /** The issuer URL, exactly as its tokens' `iss` has it. */
  readonly issuer: string;
  /** `discovery` reads `jwks_uri` from the issuer's OpenID configuration. */
  readonly jwks: { readonly kind: 'discovery' } | { readonly kind: 'url' | 'file'; readonly location: string };
  /** PEM file with the CAs to trust for the issuer's https. Read at each load. */
  readonly caFile?: string | undefined;
  /** A file with the bearer token to send to the configured address. Read at each load: Kubernetes renews it. */
  readonly bearerTokenFile?: string | undefined;
};

/**
 * Why keys are loaded: on schedule (and after a failure), or because a token names a key that is not there. The latter
 * anybody can cause, so it costs the issuer one request and no discovery.
 */
export type LoadReason = 'refresh' | 'unknown_kid';

/** Loads an issuer's keys once. Throws an `Error` when they cannot be had; the message is for operators. */
export type LoadKeys = (reason: LoadReason) => Promise<AdmittedKeys>;

/** All requests of one load together. */
const LOAD_MS = 5_000;
const MAX_CA_BYTES = 1024 * 1024;
const MAX_TOKEN_BYTES = 16 * 1024;

/** Makes the function that loads an issuer's keys. It remembers the key set's address while that serves. */
export function createKeySetLoader(source: KeySource): LoadKeys {
  const { issuer, jwks } = source;
  let discovered: string | undefined;
  return async (reason) => {
    if (jwks.kind === 'file') return admitKeys(await readSmallFile(jwks.location, MAX_ANSWER_BYTES));
    const fetchText = await prepareFetch(source);
    if (jwks.kind === 'url') return admitKeys(await fetchText(jwks.location));
    const known = reason === 'unknown_kid' ? discovered : undefined;
    // Forgotten until it has served again: one that fails is discovered anew.
    discovered = undefined;
    const url = known ?? (await discoverKeySetUrl(issuer, fetchText));
    const keys = admitKeys(await fetchText(url));
    discovered = url;
    return keys;
  };
}

/** Loads an issuer's keys once, with nothing remembered. */
export function loadKeySet(source: KeySource): Promise<AdmittedKeys> {
  return createKeySetLoader(source)('refresh');
}

/** Reads the files of a source, and gives the function that fetches for one load. */
async function prepareFetch({ issuer, jwks, caFile, bearerTokenFile }: KeySource) {
  const ca = caFile === undefined ? undefined : await readCa(caFile);
  const bearerToken = bearerTokenFile === undefined ? undefined : await readBearerToken(bearerTokenFile);
  const home = new URL(jwks.kind === 'url' ? jwks.location : issuer);
  const end = performance.now() + LOAD_MS;
  return async (url: string): Promise<string> => {
    const timeoutMs = Math.max(1, end - performance.now());
    // Discovery may name any host; the token is meant for the one that the operator wrote.
    const isHome = new URL(url).origin === home.origin && (home.protocol === 'https:' || isLoopbackHttp(home.href));
    if (isHome || bearerToken === undefined) return fetchJson(url, { ca, bearerToken, timeoutMs });
    try {
      return await fetchJson(url, { ca, bearerToken: undefined, timeoutMs });
    } catch (error) {
      const why = error instanceof Error ? error.message : 'unknown failure';
      throw new Error(`${why}; the token of bearerTokenFile is sent to ${home.origin} only`, { cause: error });
    }
  };
}

async function readCa(path: string): Promise<string> {
  const pem = await readSmallFile(path, MAX_CA_BYTES);
  // Without one Node would trust nobody and blame the server's certificate.
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error(`${path} holds no PEM certificate`);
  return pem;
}

async function readBearerToken(path: string): Promise<string> {
  const token = (await readSmallFile(path, MAX_TOKEN_BYTES)).trim();
  // The syntax of RFC 6750 §2.1. The message must not quote what is there instead.
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(token)) throw new Error(`${path} does not hold one bearer token`);
  return token;
}
