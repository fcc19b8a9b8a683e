import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CSV_COLUMNS } from '../../src/issuance/audit-csv.ts';
import { newAuditId } from '../../src/issuance/audit-id.ts';
import type { AuditRecord } from '../../src/issuance/audit-record.ts';
import type { PublishedRecord } from '../../src/issuance/published-record.ts';
import { auditRecord } from '../support/audit-records.ts';
import { type AuditService, startAuditService } from '../support/audit-service.ts';
import { assertDescribed, assertRecord } from '../support/contract.ts';
import { readCsv } from '../support/read-csv.ts';
import { withoutHashes } from '../support/published-records.ts';

const EVENTS = '/v1/audit/events';
const START = Date.UTC(2026, 0, 1);

/** Forty records of one a minute, of every kind that a filter tells apart. */
const WRITTEN = Array.from({ length: 40 }, (_, at) => {
  const time = START + at * 60_000;
  const refused: Partial<AuditRecord> =
    at % 3 === 0 ? { outcome: 'refused', reason: 'not_granted', grant: null, tokenFingerprint: null } : {};
  return auditRecord({
    id: newAuditId(time),
    time,
    action: at % 10 === 9 ? 'database.get' : 'token.issue',
    issuer: at % 4 === 0 ? 'corp' : 'cluster',
    subject: at % 5 === 0 ? 'a b&c=d"é+%/#?' : 'system:serviceaccount:payments:api',
    database: at % 2 === 0 ? 'orders' : 'billing',
    user: at % 7 === 0 ? 'admin' : 'app_rw',
    endpoint: at % 6 === 0 ? 'reader' : 'writer',
    observed: at % 9 === 0 ? ['no-nights', 'no-admins'] : at % 9 === 1 ? ['no-admins'] : null,
    claims: at % 8 === 0 ? { email: 'a@b.example', groups: ['x', 'y,"z"'] } : null,
    ...refused,
  });
});

type Condition = [name: string, value: string];
const FILTERS: readonly [conditions: readonly Condition[], holds: (record: AuditRecord, at: number) => boolean][] = [
  [[], () => true],
  [[['issuer', 'corp']], ({ issuer }) => issuer === 'corp'],
  [[['caller', 'a b&c=d"é+%/#?']], (_, at) => at % 5 === 0],
  [[['database', 'billing']], (_, at) => at % 2 === 1],
  [[['user', 'admin']], (_, at) => at % 7 === 0],
  [[['endpoint', 'reader']], (_, at) => at % 6 === 0],
  [[['outcome', 'refused']], (_, at) => at % 3 === 0],
  [[['grant', 'payments-api']], (_, at) => at % 3 !== 0],
  [[['observed', 'no-admins']], (_, at) => at % 9 <= 1],
  [[['observed', 'no-nights']], (_, at) => at % 9 === 0],
  [
    [
      ['observed', 'no-admins'],
      ['outcome', 'refused'],
    ],
    (_, at) => at % 9 === 0,
  ],
  [[['observed', 'no']], () => false],
  [[['action', 'database.get']], (_, at) => at % 10 === 9],
  [[['from', '2026-01-01T00:30:00Z']], (_, at) => at >= 30],
  [[['to', '2026-01-01T00:30:00Z']], (_, at) => at < 30],
  [[['from', '2026-01-01T00:30:00.001Z']], (_, at) => at >= 31],
  [[['to', '2026-01-01T00:30:00.001Z']], (_, at) => at <= 30],
  [
    [
      ['from', '2026-01-01T02:10:00+02:00'],
      ['to', '2025-12-31T19:20:00.000-05:00'],
    ],
    (_, at) => at >= 10 && at < 20,
  ],
  [
    [
      ['database', 'orders'],
      ['user', 'admin'],
      ['outcome', 'issued'],
      ['from', '2026-01-01T00:10:00Z'],
    ],
    (_, at) => at % 14 === 0 && at % 3 !== 0 && at >= 10,
  ],
  [[['database', 'nowhere']], () => false],
  [[['caller', 'system:serviceaccount:payments:']], () => false],
];
test('each condition gives exactly the records that meet it, newest first', async (t) => {
  const service = await startAuditService(t, { written: WRITTEN });
  for (const [conditions, holds] of FILTERS) {
    // The records of this test's own readings are of a later year.
    const query = new URLSearchParams({ to: '2026-02-01T00:00:00Z', ...Object.fromEntries(conditions), limit: '1000' });
    const text = await assertDescribed(await service.audit(`${EVENTS}?${query.toString()}`), 'get', EVENTS);
    const { events, next }: { events: PublishedRecord[]; next: string | null } = JSON.parse(text);
    assert.equal(next, null);
    const expected = WRITTEN.filter(holds).map(({ id }) => id);
    assert.deepEqual(
      events.map(({ id }) => id),
      expected.toReversed(),
      String(query),
    );
  }
});

for (const format of ['json', 'ndjson', 'csv'] as const) {
  test(`pages in ${format} have each record once, newest first, while others are written`, async (t) => {
    const service = await startAuditService(t, { written: WRITTEN });
    const conditions = `${EVENTS}?outcome=issued&limit=7`;
    const ids: string[] = [];
    let pages = 0;
    for (let next: string | null = `${conditions}&format=${format}`; next !== null; pages++) {
      const page = await readPage(service, next);
      assert.ok(page.ids.length <= 7);
      ids.push(...page.ids);
      next = page.cursor === null ? null : `${conditions}&format=${format}&cursor=${encodeURIComponent(page.cursor)}`;
      // Each reading writes a record of its own; this one meets the condition too.
      await service.ask('/v1/tokens', { method: 'POST', body: 'database=orders&user=app_rw', headers: FORM });
    }
    const expected = WRITTEN.filter(({ outcome }) => outcome === 'issued').map(({ id }) => id);
    assert.deepEqual(ids, expected.toReversed());
    assert.ok(pages >= 4);
  });
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** The ids of a page, its cursor, and its `Link`, which must lead to the page that the cursor does. */
async function readPage(service: AuditService, path: string) {
  const response = await service.audit(path);
  assert.equal(response.status, 200);
  const text = await response.text();
  const format = new URL(path, service.url).searchParams.get('format');
  const body: { events: PublishedRecord[]; next: string | null } =
    format === 'json'
      ? JSON.parse(text)
      : { events: recordsOf(text, format), next: response.headers.get('rtv-next-cursor') };
  const link = /^<([^>]+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1] ?? '';
  const linked = new URL(link, service.url).searchParams;
  assert.equal(linked.get('cursor'), body.next);
  if (body.next !== null) {
    assert.deepEqual([linked.get('limit'), linked.get('format'), linked.get('outcome')], ['7', format, 'issued']);
  }
  return { ids: body.events.map(({ id }) => id), cursor: body.next };
}

/** What CSV has is compared with the other forms below: here the ids are enough. */
function recordsOf(text: string, format: string | null): Pick<PublishedRecord, 'id'>[] {
  if (format === 'ndjson') return linesOf(text).map((line) => JSON.parse(line));
  const [head = [], ...rows] = readCsv(text);
  return rows.map((row) => ({ id: row[head.indexOf('id')] ?? '' }));
}

test('a link leads to the next page with the same conditions, whatever they hold', async (t) => {
  const service = await startAuditService(t, { written: WRITTEN });
  const caller = encodeURIComponent('a b&c=d"é+%/#?');
  const first = await service.audit(`${EVENTS}?caller=${caller}&limit=5`, { accept: 'application/x-ndjson' });
  const link = /^<(.+)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1] ?? assert.fail();
  // Without the Accept of the first request: the link says the form.
  const second = await service.audit(link);
  assert.match(second.headers.get('content-type') ?? '', /^application\/x-ndjson/);
  const ids = [first, second].map(async (page) => linesOf(await page.text()).map((line) => JSON.parse(line).id));
  const expected = WRITTEN.filter((_, at) => at % 5 === 0).map(({ id }) => id);
  assert.deepEqual((await Promise.all(ids)).flat(), expected.toReversed());
  assert.equal(second.headers.get('link'), null);
  assert.equal(second.headers.get('rtv-next-cursor'), null);
});

test('the three forms say the same of each record, which fits the published schema', async (t) => {
  const service = await startAuditService(t, { written: WRITTEN });
  const query = `${EVENTS}?to=2026-02-01T00:00:00Z`;
  const json = await assertDescribed(await service.audit(query), 'get', EVENTS);
  const ndjson = await assertDescribed(await service.audit(`${query}&format=ndjson`), 'get', EVENTS);
  const csv = await assertDescribed(await service.audit(`${query}&format=csv`), 'get', EVENTS);
  const lines = linesOf(ndjson);
  lines.forEach(assertRecord);
  assert.deepEqual(
    lines.map((line) => withoutHashes(line).id),
    WRITTEN.map(({ id }) => id).toReversed(),
  );
  assert.equal(json, `{"events":[${lines.join(',')}],"next":null}`);
  const [head, ...rows] = readCsv(csv);
  assert.deepEqual(head, [...CSV_COLUMNS]);
  assert.deepEqual(new Set(head), new Set(Object.keys(JSON.parse(lines[0] ?? ''))));
  assert.deepEqual(rows, lines.map(cellsOf));
});

/** A record's cells; none of these begins like a formula. */
function cellsOf(line: string): string[] {
  const record: PublishedRecord = JSON.parse(line);
  return CSV_COLUMNS.map((column) => {
    const value = record[column];
    if (value === null) return '';
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  });
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

const ACCEPTED: readonly [accept: string, query: string, type: string][] = [
  ['*/*', '', 'application/json; charset=utf-8'],
  ['text/html', '', 'application/json; charset=utf-8'],
  ['application/x-ndjson', '', 'application/x-ndjson; charset=utf-8'],
  ['text/csv', '', 'text/csv; charset=utf-8; header=present'],
  ['Text/CSV;q=0.9, */*;q=0.1', '', 'text/csv; charset=utf-8; header=present'],
  ['text/csv, application/x-ndjson', '', 'text/csv; charset=utf-8; header=present'],
  ['text/csv, application/json', '', 'application/json; charset=utf-8'],
  ['text/csv', '?format=json', 'application/json; charset=utf-8'],
  ['text/csv', '?format=ndjson', 'application/x-ndjson; charset=utf-8'],
  ['application/json', '?format=csv', 'text/csv; charset=utf-8; header=present'],
];
test('a form that is asked for wins over Accept, and Accept over JSON', async (t) => {
  const service = await startAuditService(t);
  for (const [accept, query, type] of ACCEPTED) {
    const response = await service.audit(`${EVENTS}${query}`, { accept });
    assert.equal(response.headers.get('content-type'), type, `${accept} ${query}`);
    assert.equal(response.headers.get('cache-control'), 'no-store');
  }
});
