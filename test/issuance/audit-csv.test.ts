import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CSV_COLUMNS, csvHeader, csvRow } from '../../src/issuance/audit-csv.ts';
import { NAUGHTY_STRINGS } from '../support/naughty-strings.ts';
import { publishedRecord } from '../support/published-record.ts';

/** Reads CSV as RFC 4180 says. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '\r\n') rows.push([]);
  }
  return rows.slice(0, -1);
}

function cellOf(subject: string): string {
  const [row = []] = parseCsv(csvRow(publishedRecord({ subject })));
  assert.equal(row.length, CSV_COLUMNS.length);
  return row[CSV_COLUMNS.indexOf('subject')] ?? '';
}

test('every member of a record is a column', () => {
  assert.deepEqual([...CSV_COLUMNS].toSorted(), Object.keys(publishedRecord()).toSorted());
  assert.deepEqual(parseCsv(csvHeader()), [[...CSV_COLUMNS]]);
});

test('a row holds each value, claims and lists as JSON, and nothing for null', () => {
  const record = publishedRecord({ reason: null, claims: { a: ['x', 1, true] } });
  const [row = []] = parseCsv(csvRow(record));
  const values = new Map(CSV_COLUMNS.map((column, at) => [column, row[at]]));
  for (const column of CSV_COLUMNS) {
    if (column === 'claims' || column === 'observed')
      assert.deepEqual(JSON.parse(values.get(column) ?? ''), record[column]);
    else assert.equal(values.get(column), String(record[column] ?? ''));
  }
});

test('a cell that a spreadsheet would run is text', () => {
  for (const text of [
    '=cmd|x',
    '+1',
    '-1',
    '@SUM(1)',
    '\tx',
    '\rx',
    '\nx',
    '\uff1dx',
    '\uff0bx',
    '\uff0dx',
    '\uff20x',
  ]) {
    assert.equal(cellOf(text), `'${text}`);
  }
  for (const text of ['', 'a=b', ' =x', "'", '1+1', 'a@b']) assert.equal(cellOf(text), text);
});

test('odd texts stay one cell of one row', () => {
  for (const text of [...NAUGHTY_STRINGS, '"', '","', 'a\r\nb', 'a,b', '""']) {
    assert.ok([text, `'${text}`].includes(cellOf(text)), JSON.stringify(text));
  }
});
