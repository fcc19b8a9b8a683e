import { createHash } from 'node:crypto';

/** What a text may hold of auth tokens: their fingerprints, and when one was signed, milliseconds since the epoch. */
export type TokenForms = { readonly fingerprints: readonly string[]; readonly signedAt: number };

/** A file that holds more is not one that was leaked. */
const MOST = 20;

/** A token: `HOST:PORT/?Action=connect&…`, of characters that no reader treats specially. */
const TOKEN = /[A-Za-z0-9.-]+:\d{1,5}\/\?Action=connect(?:&[A-Za-z0-9-]+=[A-Za-z0-9._~%-]*)+/g;

/**
 * The forms in which a token is found: alone, or within a rendering or a log (env, URI, pgpass, JDBC properties, my.cnf,
 * JSON), with `:` and `=` behind backslashes, percent-encoded once or twice (in a URI; psqlODBC decodes the password, so it
 * is encoded once more). Null for what holds none.
 */
export function readTokenForms(text: string): TokenForms | null {
  const plain = text.replaceAll(/\\([:=#!\\&?/])/g, '$1');
  const once = decoded(plain);
  const texts = [text, plain, once, decoded(once)];
  const tokens = new Set([text.trim(), ...texts.flatMap((each) => each.match(TOKEN) ?? [])]);
  const signedAt = [...tokens].map(signingTime).find((time) => !Number.isNaN(time));
  if (signedAt === undefined) return null;
  return { fingerprints: [...tokens].slice(0, MOST).map(sha256), signedAt };
}

/** Each sequence by itself: what is around a token need not be an encoding. */
function decoded(text: string): string {
  return text.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (sequence) => {
    try {
      return decodeURIComponent(sequence);
    } catch {
      return sequence;
    }
  });
}

function signingTime(text: string): number {
  const [, year, month, day, hour, minute, second] =
    /[?&]X-Amz-Date=(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z/.exec(text) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
