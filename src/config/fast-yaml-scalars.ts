/* The scalars of `readFastYaml`: one line, and no doubt about what they are. Offsets are into the whole text. */

export const SPACE = 0x20;
export const NEWLINE = 0x0a;
export const COLON = 0x3a;
export const HASH = 0x23;
const DASH = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const BACKSLASH = 0x5c;

/** Deeper nesting is left to the full parser, which knows what to say of it. */
export const DEEPEST = 64;

/** Longer keys have rules of their own (YAML 1.2.2 §7.4.2). */
const LONGEST_KEY = 1000;

/** The sign that a text is left to the full parser. It carries nothing, and so is made once. */
export const GAVE_UP = new Error('this YAML is not of the simple kind');

export function giveUp(): never {
  throw GAVE_UP;
}

/** What separates tokens: a space, the end of a line, the end of the text. */
export function isBlank(code: number): boolean {
  return code === SPACE || code === NEWLINE || Number.isNaN(code);
}

/** A dash that begins an item of a block list. */
export function isDash(text: string, at: number): boolean {
  return text.charCodeAt(at) === DASH && isBlank(text.charCodeAt(at + 1));
}

export function isQuote(code: number): boolean {
  return code === QUOTE || code === APOSTROPHE;
}

export function isCollection(code: number): boolean {
  return code === 0x7b || code === 0x5b;
}

/** The offset behind a comment. */
export function endOfComment(text: string, start: number): number {
  const newline = text.indexOf('\n', start);
  const end = newline === -1 ? text.length : newline;
  return text.charCodeAt(end - 1) === 0x0d ? giveUp() : end;
}

/** A scalar that begins at an offset, and the offset behind it. */
export function readScalar(
  text: string,
  start: number,
  inFlow: boolean,
): { readonly value: unknown; readonly end: number } {
  const isQuoted = isQuote(text.charCodeAt(start));
  const end = isQuoted ? endOfQuoted(text, start) : endOfPlain(text, start, inFlow);
  return { value: isQuoted ? quotedValue(text, start, end) : plainValue(text, start, end), end };
}

/** A key that begins at an offset, and the offset behind its colon. */
export function readKey(text: string, start: number, inFlow: boolean): { readonly name: string; readonly end: number } {
  const { value, end } = readScalar(text, start, inFlow);
  const isKey =
    text.charCodeAt(end) === COLON && end - start <= LONGEST_KEY && (inFlow || isBlank(text.charCodeAt(end + 1)));
  if (!isKey || typeof value !== 'string' || value === '__proto__' || value === '<<') return giveUp();
  return { name: value, end: end + 1 };
}

/** Whether a key begins at an offset, rather than a value. */
export function isKey(text: string, start: number): boolean {
  if (isCollection(text.charCodeAt(start))) return false;
  const end = isQuote(text.charCodeAt(start)) ? endOfQuoted(text, start) : endOfPlain(text, start, false);
  return text.charCodeAt(end) === COLON;
}

const ODD = 0;
const FLOW_INDICATOR = 2;
const SPECIAL = 3;

/** By code: what may not stand in a plain scalar, what ends one in a flow collection, what has to be looked at. */
const KINDS = Uint8Array.from({ length: 0x7f }, (_, code) => {
  if (code < SPACE) return code === NEWLINE ? SPECIAL : ODD;
  if (code === COLON || code === HASH) return SPECIAL;
  return ',[]{}'.includes(String.fromCharCode(code)) ? FLOW_INDICATOR : 1;
});

/** Controls, spaces of other alphabets' kind, separators of lines, the byte order mark: not where one can see them. */
function isOdd(code: number): boolean {
  return code < 0xa1 || code === 0x2028 || code === 0x2029 || code === 0xfeff;
}

/** The offset behind a plain scalar, without the spaces after it. */
function endOfPlain(text: string, start: number, inFlow: boolean): number {
  let at = start;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const kind = code < 0x7f ? KINDS[code] : Number(!isOdd(code));
    if (kind === 1) continue;
    if (kind === ODD) giveUp();
    if (kind === FLOW_INDICATOR) {
      if (inFlow) break;
    } else if (code === NEWLINE) {
      break;
    } else if (code === HASH) {
      if (text.charCodeAt(at - 1) === SPACE) break;
    } else {
      const next = text.charCodeAt(at + 1);
      if (isBlank(next) || (inFlow && KINDS[next] === FLOW_INDICATOR)) break;
    }
  }
  while (text.charCodeAt(at - 1) === SPACE) at--;
  return at;
}

const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ...['null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
]);

const INTEGER = /^-?[0-9]+$/;
const FLOAT = /^-?(?:[0-9]+\.[0-9]*|[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+)$/;
const OTHER_BASE = /^0[ox]/;

/** What a plain scalar is in the core schema (YAML 1.2.2 §10.3.2). */
function plainValue(text: string, start: number, end: number): unknown {
  const first = text.charCodeAt(start);
  const source = text.slice(start, end);
  if ((first >= 0x61 && first <= 0x7a) || (first >= 0x41 && first <= 0x5a)) {
    const word = source.length > 5 ? undefined : WORDS.get(source);
    return word === undefined ? source : word;
  }
  if (isDigit(first) || (first === DASH && isDigit(text.charCodeAt(start + 1)))) {
    if (OTHER_BASE.test(source)) giveUp();
    if (INTEGER.test(source)) return Number.parseInt(source, 10);
    return FLOAT.test(source) ? Number.parseFloat(source) : source;
  }
  if (source === '~') return null;
  const isPath = first === DOT && /^\.\.?\//.test(source);
  return first === 0x5f || first === SLASH || first === 0x28 || first > 0x7f || isPath ? source : giveUp();
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** The offset behind a quoted scalar that ends on its line. */
function endOfQuoted(text: string, start: number): number {
  const quote = text.charCodeAt(start);
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      // A single quote is doubled to stand for itself.
      if (code !== APOSTROPHE || text.charCodeAt(at + 1) !== APOSTROPHE) return at + 1;
      at++;
    } else if (code === BACKSLASH && quote === QUOTE) {
      at++;
    } else if (code < SPACE || (code >= 0x7f && isOdd(code))) {
      giveUp();
    }
  }
  return giveUp();
}

function quotedValue(text: string, start: number, end: number): string {
  const inside = text.slice(start + 1, end - 1);
  if (text.charCodeAt(start) === APOSTROPHE) return inside.includes("'") ? inside.replaceAll("''", "'") : inside;
  return inside.includes('\\') ? unescape(text.slice(start, end)) : inside;
}

/** The escapes that JSON has mean the same in YAML; the others are rare. */
function unescape(source: string): string {
  try {
    const value: unknown = JSON.parse(source);
    return String(value);
  } catch {
    return giveUp();
  }
}
