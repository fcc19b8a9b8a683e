import type { Claims, JsonValue } from '../issuance/caller.ts';
import { parseStrictJson } from '../issuance/strict-json.ts';

/** The longest JWT that is looked at, bytes. Kubernetes' and IdPs' tokens are 1–4 KiB. */
export const MAX_JWT_BYTES = 16 * 1024;

/** A JWT in one piece, nothing of it believed yet. */
export type ParsedJws = { readonly header: Claims; readonly payload: Claims };

/** A token that is not what RFC 7515 and RFC 7519 describe. The message is evidence and quotes nothing of the token. */
export class MalformedJwt extends Error {}

/**
 * Parses a compact JWS strictly: size, three parts, canonical base64url, UTF-8 without BOM, JSON objects with unique
 * keys. One token has one spelling, so what is verified is what is read, and a fingerprint of it means something.
 *
 * @throws {MalformedJwt}
 */
export function parseJws(token: string): ParsedJws {
  if (token.length > MAX_JWT_BYTES) throw new MalformedJwt(`longer than ${MAX_JWT_BYTES} bytes`);
  const parts = token.split('.');
  if (parts.length === 5) throw new MalformedJwt('encrypted (JWE), which is not accepted');
  const [header, payload, signature] = parts;
  if (parts.length !== 3 || !header || !payload || !signature) {
    throw new MalformedJwt('not three non-empty parts separated by dots');
  }
  decodeCanonical(signature, 'signature');
  return { header: parseObject(header, 'header'), payload: parseObject(payload, 'payload') };
}

function parseObject(part: string, name: string): Claims {
  let value: JsonValue;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(decodeCanonical(part, name));
    value = parseStrictJson(text);
  } catch (error) {
    if (error instanceof MalformedJwt) throw error;
    throw new MalformedJwt(`the ${name} is ${error instanceof SyntaxError ? error.message : 'not UTF-8'}`);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new MalformedJwt(`the ${name} is not a JSON object`);
  }
  return value;
}

/** `Buffer.from` skips what it does not know and ignores spare bits; encoding the result again shows both. */
function decodeCanonical(part: string, name: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.toString('base64url') !== part) throw new MalformedJwt(`the ${name} is not canonical base64url`);
  return bytes;
}
