import { readFlow } from './fast-yaml-flow.ts';
import * as scalars from './fast-yaml-scalars.ts';

const { HASH, NEWLINE, SPACE, giveUp, isDash } = scalars;

/** Told of each value: its holder, its key or position there, and the offsets of the key and of the value. */
export type OnValue = (holder: object, step: string | number, keyOffset: number, valueOffset: number) => void;

/** What was read, and the offset where it begins. */
export type FastYaml = { readonly value: object; readonly offset: number };

/**
 * Reads the YAML that nearly every configuration consists of, much faster than the `yaml` package: block maps and lists,
 * flow collections, scalars on one line, comments. It gives up, with undefined, at whatever it does not know for certain,
 * right or wrong: anchors, aliases, tags, directives, several documents, block scalars, texts over several lines, tabs,
 * carriage returns, repeated keys, keys that are no texts, odd indentation. It never reports a mistake.
 *
 * What it does read is what `readYaml` reads, without mistakes, at the same places: `fast-yaml.test.ts` compares the two.
 *
 * @param onValue without it, equal flow collections on one line may be one object.
 */
export function readFastYaml(text: string, onValue?: OnValue): FastYaml | undefined {
  try {
    return readDocument(text, onValue);
  } catch (error) {
    if (error === scalars.GAVE_UP) return undefined;
    throw error;
  }
}

function readDocument(text: string, onValue: OnValue | undefined): FastYaml {
  const flows = new Map<string, { readonly value: object; readonly length: number }>();
  let position = 0;
  /** Of the line whose first character `position` is at; -1 at the end of the text. */
  let indent = -1;
  let depth = 0;

  /** Goes on to the first character of the next line that has more than a comment. */
  function skipLineEnd(): void {
    for (;;) {
      let at = position;
      while (text.charCodeAt(at) === SPACE) at++;
      if (text.charCodeAt(at) === HASH) {
        if (at > 0 && !scalars.isBlank(text.charCodeAt(at - 1))) giveUp();
        at = scalars.endOfComment(text, at);
      }
      position = at;
      if (at === text.length) {
        indent = -1;
        return;
      }
      if (text.charCodeAt(at) !== NEWLINE) giveUp();
      if (skipIndent(at + 1)) return;
    }
  }

  /** Goes on to the first character of a line; false when that is not the first of a token. */
  function skipIndent(begin: number): boolean {
    position = begin;
    while (text.charCodeAt(position) === SPACE) position++;
    indent = position - begin;
    const code = text.charCodeAt(position);
    return code !== NEWLINE && code !== HASH && position < text.length;
  }

  /** A block that begins at `position`, `column` characters behind the beginning of the line. */
  function block(column: number): object {
    if (++depth > scalars.DEEPEST) giveUp();
    const value = isDash(text, position) ? list(column) : map(column);
    // A line between two levels belongs to neither.
    if (indent > column) giveUp();
    depth--;
    return value;
  }

  function map(column: number): object {
    const holder: Record<string, unknown> = {};
    do {
      const start = position;
      const { name, end } = scalars.readKey(text, position, false);
      // Repeated, or one that every object has, such as `constructor`.
      if (name in holder) giveUp();
      position = end;
      while (text.charCodeAt(position) === SPACE) position++;
      const valueStart = position;
      const code = text.charCodeAt(position);
      if (code !== NEWLINE && code !== HASH && position < text.length) {
        holder[name] = inline(column);
        onValue?.(holder, name, start, valueStart);
      } else {
        skipLineEnd();
        const isNested = indent > column || isItem(column);
        const nestedStart = isNested ? position : start;
        holder[name] = isNested ? block(indent) : null;
        onValue?.(holder, name, start, nestedStart);
      }
    } while (indent === column);
    return holder;
  }

  function list(column: number): object {
    const holder: unknown[] = [];
    do {
      const dash = position;
      position++;
      while (text.charCodeAt(position) === SPACE) position++;
      const start = position;
      holder.push(scalars.isKey(text, start) ? block(column + start - dash) : inline(column));
      onValue?.(holder, holder.length - 1, start, start);
    } while (isItem(column));
    return holder;
  }

  function isItem(column: number): boolean {
    return indent === column && isDash(text, position);
  }

  /** Anything that may stand on the line of its key or dash; goes on to the next line. */
  function inline(blockIndent: number): unknown {
    if (scalars.isCollection(text.charCodeAt(position))) {
      const value = flow(blockIndent);
      skipLineEnd();
      return value;
    }
    const { value, end } = scalars.readScalar(text, position, false);
    position = end;
    skipLineEnd();
    return value;
  }

  function flow(blockIndent: number): object {
    const newline = text.indexOf('\n', position);
    const line = text.slice(position, newline === -1 ? text.length : newline);
    const known = onValue === undefined ? flows.get(line) : undefined;
    const { value, length } = known ?? newFlow(line, blockIndent);
    position += length;
    return value;
  }

  function newFlow(line: string, blockIndent: number): { readonly value: object; readonly length: number } {
    const { value, end } = readFlow(text, position, blockIndent, onValue);
    const read = { value, length: end - position };
    if (read.length <= line.length) flows.set(line, read);
    return read;
  }

  if (!skipIndent(0)) skipLineEnd();
  if (indent === -1) giveUp();
  const offset = position;
  if (!scalars.isCollection(text.charCodeAt(position))) {
    const value = block(indent);
    return indent === -1 ? { value, offset } : giveUp();
  }
  const value = flow(-1);
  skipLineEnd();
  return indent === -1 ? { value, offset } : giveUp();
}
