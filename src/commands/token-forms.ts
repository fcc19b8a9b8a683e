import { createHash } from 'node:crypto';

/** What a text may be of an auth token: its fingerprints, and when the token was signed, milliseconds since the epoch. */
export type TokenForms = { readonly fingerprints: readonly string[]; readonly signedAt: number };

/**
 * The forms in which a token is found: as it is, with white space around it, and percent-encoded once or twice (in a
 * URI; psqlODBC decodes the password, so it is encoded once more). Null for what names no time of signing.
 */
export function readTokenForms(text: string): TokenForms | null {
  const trimmed = text.trim();
  const once = decoded(trimmed);
  const forms = [text, trimmed, once, decoded(once)];
  const signedAt = forms.map(signingTime).find((time) => !Number.isNaN(time));
  if (signedAt === undefined) return null;
  return { fingerprints: [...new Set(forms.map(sha256))], signedAt };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function signingTime(text: string): number {
  const [, year, month, day, hour, minute, second] =
    /[?&]X-Amz-Date=(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z/.exec(text) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
