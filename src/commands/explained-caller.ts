import { createHash, X509Certificate } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { IssuerConfig } from '../config.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import type { Caller, Claims } from '../issuance/caller.ts';
import { claimedCaller } from '../issuance/claimed-caller.ts';
import { parseStrictJson } from '../issuance/strict-json.ts';
import { createIssuerKeySet } from '../jwt/issuer-key-set.ts';
import { keySourceOf } from '../jwt/key-source.ts';
import { createKeySetLoader } from '../jwt/load-key-set.ts';
import { parseJws } from '../jwt/parse-jws.ts';
import { createVerifyCaller } from '../jwt/verify-caller.ts';
import type { CommandContext } from './command.ts';

/** Where `explain` takes a caller from: one of the two files, `-` for standard input. */
export type CallerSource = {
  readonly jwtFile: string | undefined;
  readonly claimsFile: string | undefined;
  /** The name of the issuer that claims are of, where their `iss` does not say it. */
  readonly issuer: string | undefined;
  /** PEM of the client's certificate. */
  readonly certificateFile: string | undefined;
};

export type ExplainedCaller = {
  readonly caller: Caller;
  /** Whether the service would take the JWT; true for claims, of which there is nothing to verify. */
  readonly accepted: boolean;
  readonly notes: readonly string[];
};

/**
 * Reads the caller of an explanation. A JWT is verified as the service does it, with the keys of its issuer fetched now;
 * one that is refused is explained nevertheless, as if it were good. A text says why there is nothing to explain.
 *
 * @param now the time of the request, milliseconds since the epoch
 */
export async function readExplainedCaller(
  context: CommandContext,
  { config }: LoadedConfig,
  source: CallerSource,
  now: number,
): Promise<ExplainedCaller | string> {
  const written = (await text(open(context, source.jwtFile ?? source.claimsFile ?? '-'))).trim();
  const claims = source.jwtFile === undefined ? claimsIn(written) : payloadOf(written);
  if (typeof claims === 'string') return claims;
  const issuer = config.issuers.find(({ name, issuer: url }) =>
    source.issuer === undefined ? url === claims['iss'] : name === source.issuer,
  );
  if (issuer === undefined) {
    const named = source.issuer ?? `with the iss ${JSON.stringify(claims['iss'] ?? null)}`;
    return `The configuration has no issuer ${named}. Of claims without iss, --issuer NAME says whose they are.`;
  }
  const caller = claimedCaller({ name: issuer.name, kubernetes: issuer.kubernetes !== undefined }, claims);
  if (typeof caller === 'string') return `No token of issuer ${issuer.name} is accepted with these claims: ${caller}.`;
  if (source.jwtFile === undefined) return { caller, accepted: true, notes: [] };
  const refusal = await verify(written, issuer, thumbprintOf(source.certificateFile), now);
  const notes = [
    refusal === undefined ? 'JWT: accepted' : `JWT: refused, ${refusal}. What follows is as if it were accepted.`,
    ...(issuer.kubernetes?.tokenReview === true ? ['The API server was not asked about it (tokenReview).'] : []),
  ];
  return { caller, accepted: refusal === undefined, notes };
}

function open(context: CommandContext, file: string): AsyncIterable<Uint8Array | string> {
  return file === '-' ? context.input() : createReadStream(file);
}

function claimsIn(written: string): Claims | string {
  try {
    const value = parseStrictJson(written);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value;
    return 'The claims are not a JSON object.';
  } catch (error) {
    return `The claims are ${error instanceof Error ? error.message : 'unreadable'}.`;
  }
}

function payloadOf(token: string): Claims | string {
  try {
    return parseJws(token).payload;
  } catch (error) {
    return `The JWT is refused: ${error instanceof Error ? error.message : 'malformed'}.`;
  }
}

/** Why the service would refuse the token; undefined when it would not. */
async function verify(
  token: string,
  issuer: IssuerConfig,
  certificateThumbprint: string | null,
  now: number,
): Promise<string | undefined> {
  const keySet = createIssuerKeySet({
    name: issuer.name,
    load: createKeySetLoader(keySourceOf(issuer)),
    keepKeysForMs: issuer.keepKeysFor,
    now: Date.now,
    random: Math.random,
    onEvent: () => {},
  });
  try {
    const trusted = { ...issuer, clockToleranceMs: issuer.clockTolerance, keySet };
    const authenticate = createVerifyCaller([
      { ...trusted, kubernetes: issuer.kubernetes !== undefined, review: null },
    ]);
    const credentials = { authorization: [`Bearer ${token}`], certificateThumbprint };
    const verified = await authenticate(credentials, now);
    return verified.ok ? undefined : verified.refusal.detail;
  } catch (error) {
    return error instanceof Error ? error.message : 'its issuer cannot be asked';
  } finally {
    keySet.close();
  }
}

function thumbprintOf(file: string | undefined): string | null {
  if (file === undefined) return null;
  return createHash('sha256')
    .update(new X509Certificate(readFileSync(file)).raw)
    .digest('base64url');
}
