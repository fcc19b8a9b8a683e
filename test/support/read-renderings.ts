/** The fields of the one line of a `.pgpass`, read as libpq reads them; throws where a bare `*` would match anything. */
export function parsePgpass(text: string): string[] {
  if (!text.endsWith('\n') || text.indexOf('\n') !== text.length - 1) throw new Error('not one line');
  const fields = [''];
  let written = '';
  const line = text.slice(0, -1);
  for (let at = 0; at <= line.length; at++) {
    if (at === line.length || line[at] === ':') {
      if (written === '*') throw new Error('a field is a wildcard');
      written = '';
      if (at < line.length) fields.push('');
    } else {
      const start = at;
      if (line[at] === '\\') at += 1;
      fields[fields.length - 1] += line[at] ?? '';
      written += line.slice(start, at + 1);
    }
  }
  return fields;
}

/** The keys and values of a text without comments and continued lines, as `java.util.Properties.load` reads them. */
export function parseProperties(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const [, key = '', value = ''] = /^((?:[^\\=: ]|\\.)+)\s*[=:]?\s*(.*)$/.exec(line) ?? [];
      return [unescapeProperty(key), unescapeProperty(value)];
    }),
  );
}

function unescapeProperty(text: string): string {
  return text.replace(/\\(?:u([0-9a-f]{4})|(.))/g, (_, code: string | undefined, plain: string) =>
    code === undefined ? plain : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

const OPTION_ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', s: ' ' };

/**
 * The groups of an option file, read as MySQL's `my_default.c` does: a `#` outside quotes begins a comment, one pair of
 * quotes around a value goes, and a backslash before any but its known letters stays.
 */
export function readOptionFile(text: string): Record<string, Record<string, string>> {
  const groups: Record<string, Record<string, string>> = {};
  let group: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const [, name] = /^\[(.*)\]$/.exec(line) ?? [];
    if (name !== undefined) groups[name] = group = {};
    else if (line !== '') {
      const end = commentStart(line);
      const equals = line.indexOf('=');
      const key = equals < 0 ? line : line.slice(0, equals);
      group[key] = equals < 0 ? '' : optionValue(line.slice(equals + 1, end).trim());
    }
  }
  return groups;
}

/** `find_end_comment` of `my_default.c`. */
function commentStart(line: string): number {
  let quote = '';
  let escaped = false;
  for (const [at, character] of [...line].entries()) {
    if ((character === '"' || character === "'") && !escaped) {
      if (quote === '') quote = character;
      else if (quote === character) quote = '';
    }
    if (quote === '' && character === '#') return [...line].slice(0, at).join('').length;
    escaped = quote !== '' && character === '\\' && !escaped;
  }
  return line.length;
}

function optionValue(value: string): string {
  const quoted = /^(["'])(.*)\1$/.exec(value)?.[2] ?? value;
  return quoted.replace(/\\(.)/gu, (whole, letter: string) =>
    letter === '\\' || letter === '"' || letter === "'" ? letter : (OPTION_ESCAPES[letter] ?? whole),
  );
}
