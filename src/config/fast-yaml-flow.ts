import type { OnValue } from './fast-yaml.ts';
import * as scalars from './fast-yaml-scalars.ts';

const { HASH, NEWLINE, SPACE, giveUp } = scalars;
const COMMA = 0x2c;
const BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
const CLOSING_BRACKET = 0x5d;

/**
 * Reads a flow collection for `readFastYaml`, over several lines too.
 *
 * @param blockIndent of the block that it stands in, -1 for none: its lines are indented more than that.
 */
export function readFlow(
  text: string,
  start: number,
  blockIndent: number,
  onValue: OnValue | undefined,
): { readonly value: object; readonly end: number } {
  let position = start;
  let depth = 0;

  function collection(): object {
    if (++depth > scalars.DEEPEST) giveUp();
    const isMap = text.charCodeAt(position) === BRACE;
    position++;
    skipSpace();
    const value = isMap ? map() : list();
    position++;
    depth--;
    return value;
  }

  function map(): object {
    const holder: Record<string, unknown> = {};
    while (text.charCodeAt(position) !== CLOSING_BRACE) {
      const start = position;
      const name = key();
      if (name in holder) giveUp();
      const valueStart = position;
      holder[name] = item();
      onValue?.(holder, name, start, valueStart);
      skipSeparator(CLOSING_BRACE);
    }
    return holder;
  }

  function list(): object {
    const holder: unknown[] = [];
    while (text.charCodeAt(position) !== CLOSING_BRACKET) {
      const start = position;
      holder.push(item());
      onValue?.(holder, holder.length - 1, start, start);
      skipSeparator(CLOSING_BRACKET);
    }
    return holder;
  }

  /** Goes on to the value. */
  function key(): string {
    const isQuoted = scalars.isQuote(text.charCodeAt(position));
    const { name, end } = scalars.readKey(text, position, true);
    position = end;
    if (text.charCodeAt(position) !== SPACE && !isQuoted) giveUp();
    while (text.charCodeAt(position) === SPACE) position++;
    return name;
  }

  function item(): unknown {
    const code = text.charCodeAt(position);
    if (scalars.isCollection(code)) return collection();
    const { value, end } = scalars.readScalar(text, position, true);
    position = end;
    return value;
  }

  function skipSeparator(closing: number): void {
    skipSpace();
    const code = text.charCodeAt(position);
    if (code === COMMA) {
      position++;
      skipSpace();
    } else if (code !== closing) {
      giveUp();
    }
  }

  function skipSpace(): void {
    for (;;) {
      const code = text.charCodeAt(position);
      if (code === SPACE) position++;
      else if (code === NEWLINE) skipNewline();
      else if (code === HASH && scalars.isBlank(text.charCodeAt(position - 1))) {
        position = scalars.endOfComment(text, position);
      } else return;
    }
  }

  function skipNewline(): void {
    const begin = position + 1;
    position = begin;
    while (text.charCodeAt(position) === SPACE) position++;
    const indent = position - begin;
    const code = text.charCodeAt(position);
    if (indent > blockIndent || code === NEWLINE || code === HASH) return;
    const closes = code === CLOSING_BRACE || code === CLOSING_BRACKET;
    if (!closes || depth > 1 || indent < blockIndent) giveUp();
  }

  return { value: collection(), end: position };
}
