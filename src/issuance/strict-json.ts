import type { JsonValue } from './caller.ts';

/**
 * Parses JSON and refuses what `JSON.parse` lets pass silently: the same key twice in one object, where parsers differ
 * on which one wins (RFC 8259 §4) and so a check can read another value than the one that is used.
 *
 * @throws {SyntaxError} for anything that is not one JSON value with unique keys. The message quotes no input.
 */
export function parseStrictJson(text: string): JsonValue {
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SyntaxError('not valid JSON');
  }
  if (hasRepeatedKey(text)) throw new SyntaxError('an object has the same key twice');
  return value;
}

/** Walks text that `JSON.parse` has accepted, so that only strings and brackets need to be told apart. */
function hasRepeatedKey(text: string): boolean {
  const open: (Set<string> | null)[] = []; // one entry per open bracket: an object's keys, or null for an array
  let position = 0;
  while (position < text.length) {
    const character = text[position];
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(null);
    else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const end = endOfString(text, position);
      const keys = open.at(-1);
      if (keys && isKey(text, end)) {
        // Decoded, because "sub" and "\u0073ub" are the same key.
        const key: string = JSON.parse(text.slice(position, end));
        if (keys.has(key)) return true;
        keys.add(key);
      }
      position = end;
      continue;
    }
    position++;
  }
  return false;
}

function endOfString(text: string, start: number): number {
  let position = start + 1;
  while (text[position] !== '"') position += text[position] === '\\' ? 2 : 1;
  return position + 1;
}

function isKey(text: string, afterString: number): boolean {
  let position = afterString;
  while (' \t\n\r'.includes(text[position] ?? '.')) position++;
  return text[position] === ':';
}
