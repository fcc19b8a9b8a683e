/*
 * The patterns of IAM policies: `*` is any number of characters, `?` exactly one, and where policy variables are read,
 * `${*}`, `${?}` and `${$}` are the characters themselves.
 * Source: IAM User Guide, "IAM policy elements: Variables and tags", "Special characters".
 */

const ANY = Symbol('*');
const ONE = Symbol('?');

export type Piece = string | typeof ANY | typeof ONE;

/** A pattern's characters and wildcards. With `variables`, a variable other than the three above is an error. */
export function readPattern(pattern: string, variables: boolean): readonly Piece[] {
  const pieces: Piece[] = [];
  const tokens = variables ? /\$\{[^}]*\}?|[^]/gu : /[^]/gu;
  for (const [token] of pattern.matchAll(tokens)) {
    if (token === '*') pieces.push(ANY);
    else if (token === '?') pieces.push(ONE);
    else if (token.length < 3) pieces.push(token);
    else if (/^\$\{[*?$]\}$/.test(token)) pieces.push(token.slice(2, 3));
    else throw new Error(`the sandbox does not know the policy variable ${token}`);
  }
  return pieces;
}

/** Whether the whole text is as the pattern says. Walks back to the last `*` only, so it takes no exponential time. */
export function fits(pieces: readonly Piece[], text: string): boolean {
  const characters = [...text];
  let [at, piece] = [0, 0];
  let afterStar = -1;
  let retryAt = 0;
  while (at < characters.length) {
    const wanted = pieces[piece];
    if (wanted === ANY) {
      piece++;
      [afterStar, retryAt] = [piece, at];
    } else if (wanted === ONE || (wanted !== undefined && wanted === characters[at])) {
      piece++;
      at++;
    } else if (afterStar >= 0) {
      retryAt++;
      [piece, at] = [afterStar, retryAt];
    } else return false;
  }
  return pieces.slice(piece).every((rest) => rest === ANY);
}

/**
 * Whether an ARN is as the pattern says. A wildcard stays within its one of the six parts between colons, and parts
 * that a pattern leaves out are `*`. Source: IAM User Guide, "IAM JSON policy elements: Resource".
 */
export function fitsArn(pieces: readonly Piece[], arn: string): boolean {
  if (pieces.length === 1 && pieces[0] === ANY) return true;
  const parts: Piece[][] = [[]];
  for (const piece of pieces) {
    if (piece === ':' && parts.length < PARTS) parts.push([]);
    else parts.at(-1)?.push(piece);
  }
  const [fields, rest] = [arn.split(':').slice(0, PARTS - 1), arn.split(':').slice(PARTS - 1)];
  if (rest.length === 0) return false;
  return [...fields, rest.join(':')].every((field, index) => fits(parts[index] ?? [ANY], field));
}

const PARTS = 6;
