import { createHash } from 'node:crypto';

/** What a text may hold of auth tokens. */
export type TokenForms = {
  readonly tokens: readonly PossibleToken[];
  /** Whether there are more, which are left out. */
  readonly more: boolean;
};

/** `signedAt` is what the token itself says, milliseconds since the epoch. */
export type PossibleToken = { readonly fingerprint: string; readonly signedAt: number };

/** A file that holds more is not one that was leaked. */
const MOST = 20;

/**
 * A token: `HOST:PORT/?Action=connect&…`, of characters that no reader treats specially. What is sought is the middle, and
 * host and port in front of it: a search that begins with the host takes the square of the time for a long run of letters.
 */
const TOKEN =
  /\/\?Action=connect(?<=([A-Za-z0-9.-]{1,253}:\d{1,5})\/\?Action=connect)((?:&[A-Za-z0-9-]+=[A-Za-z0-9._~%-]*)+)/g;

/**
 * The forms in which a token is found: alone, or within a rendering or a log (env, URI, pgpass, JDBC properties, my.cnf,
 * JSON, HTML), with `:` and `=` behind backslashes, `&` as \\u0026 or &amp;, percent-encoded once or twice (in a URI; psqlODBC decodes the password, so it
 * is encoded once more). Each has its own time: one of another year beside it hides no token. Null for what holds none.
 */
export function readTokenForms(text: string): TokenForms | null {
  const plain = text.replaceAll(/\\u0026|&amp;/gi, '&').replaceAll(/\\([:=#!\\&?/])/g, '$1');
  const once = decoded(plain);
  const signed = new Map<string, number>();
  for (const token of candidates([text, plain, once, decoded(once)])) {
    const signedAt = signingTime(token);
    // A token that was cut in two may have no time. None of ours is older than the epoch, and no store knows such times.
    if (signedAt >= 0) signed.set(token, signedAt);
    if (signed.size > MOST) break;
  }
  if (signed.size === 0) return null;
  const tokens = [...signed].slice(0, MOST).map(([token, signedAt]) => ({ fingerprint: sha256(token), signedAt }));
  return { tokens, more: signed.size > MOST };
}

/** The whole text too, in case its host has other characters. */
function* candidates(texts: readonly string[]): Generator<string> {
  const whole = texts[0]?.trim() ?? '';
  if (!/\s/.test(whole)) yield whole;
  for (const text of texts) {
    for (const [, endpoint, parameters] of text.matchAll(TOKEN)) yield `${endpoint}/?Action=connect${parameters}`;
  }
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
