/** The view for people, written as the server gives it back, so that it can be compared. */
export const EVENTS = `SELECT
    id, (record ->> 'time'::text)::timestamp with time zone AS time, instance, sequence,
    record ->> 'action'::text AS action, record ->> 'outcome'::text AS outcome, record ->> 'reason'::text AS reason,
    record ->> 'issuer'::text AS issuer, record ->> 'subject'::text AS subject, record -> 'claims'::text AS claims,
    record ->> 'database'::text AS database, record ->> 'user'::text AS database_user,
    record ->> 'endpoint'::text AS endpoint, record ->> 'grant'::text AS grant_name,
    observed::jsonb AS observed,
    (record ->> 'token_expires_at'::text)::timestamp with time zone AS token_expires_at,
    record ->> 'client'::text AS client, record ->> 'client_address'::text AS client_address,
    record ->> 'detail'::text AS detail, (record ->> 'repeated'::text)::bigint AS repeated,
    encode(hash, 'hex'::text) AS hash, record
  FROM rtv_audit.records`;

const COLUMNS: ReadonlySet<string | undefined> = new Set('id instance sequence hash record observed'.split(' '));

/**
 * Whether this is what a server gives back as the text of the view: all words and signs in their order, texts to the last
 * character, beside what versions of the server write in different ways. That is white space, brackets, quotes around plain
 * names, and the table's name before its columns, which newer ones leave out.
 *
 * Without brackets it can still be no other view. They only tell what belongs together, and here nothing fits in a second
 * way: `->>` has a text on its right, the server writes `::text` at every one, and other operators and functions than its
 * own come with their schema. A call without arguments keeps its brackets, so that no function passes for a column.
 */
export function isEventsView(definition: string): boolean {
  return wordsOf(definition) === wordsOf(EVENTS);
}

function wordsOf(definition: string): string {
  const found = definition.match(/'(?:[^']|'')*'|"(?:[^"]|"")*"|[\w$]+|\(\s*\)|::|[-<>|=+*/!@#%^&~?]+|\S/g) ?? [];
  const words = found.map((word) => word.replace(/^"([a-z_]+)"$/, '$1'));

  /** A schema or a type of that name stays, and so does a function in it. */
  function isQualifier(at: number): boolean {
    const [before, table, dot, column, next = ''] = [-1, 0, 1, 2, 3].map((offset) => words[at + offset]);
    const isColumn = table === 'records' && dot === '.' && COLUMNS.has(column);
    return isColumn && before !== '::' && before !== '.' && !next.startsWith('(') && next !== '.';
  }

  return words.filter((word, at) => !/^[();]$/.test(word) && !isQualifier(at) && !isQualifier(at - 1)).join('\n');
}
