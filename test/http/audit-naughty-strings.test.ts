import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CSV_COLUMNS } from '../../src/issuance/audit-csv.ts';
import type { PublishedRecord } from '../../src/issuance/published-record.ts';
import { auditRecord } from '../support/audit-records.ts';
import { startAuditService } from '../support/audit-service.ts';
import { assertDescribed, assertRecord } from '../support/contract.ts';
import { NAUGHTY_STRINGS } from '../support/naughty-strings.ts';
import { asPublished, withoutHashes } from '../support/published-records.ts';
import { post } from '../support/running-service.ts';
import { readCsv } from '../support/read-csv.ts';

const EVENTS = '/v1/audit/events';
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/** Half a surrogate pair and NUL have no place in every store. */
function kept(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}

test('hundreds of naughty strings as subject, user agent, request id and claim are one record each in every form', async (t) => {
  assert.ok(NAUGHTY_STRINGS.length >= 500);
  const written = NAUGHTY_STRINGS.map((text) =>
    auditRecord({ subject: text, userAgent: text, requestId: text, claims: { [text || 'empty']: [text] } }),
  );
  const service = await startAuditService(t, { written });
  const expected = NAUGHTY_STRINGS.map((text, at) => {
    const record = written[at] ?? assert.fail();
    const claims = { [kept(text || 'empty')]: [kept(text)] };
    const same = { subject: kept(text), userAgent: kept(text), requestId: kept(text), claims };
    return asPublished({ ...record, ...same }, 'another', at + 1);
  });
  const query = `${EVENTS}?grant=payments-api&limit=1000`;

  const ndjson = await assertDescribed(await service.audit(`${query}&format=ndjson`), 'get', EVENTS);
  const lines = ndjson.split('\n').slice(0, -1).toReversed();
  lines.forEach(assertRecord);
  assert.deepEqual(lines.map(withoutHashes), expected);

  const json = JSON.parse(await assertDescribed(await service.audit(query), 'get', EVENTS));
  assert.deepEqual(
    json.events.toReversed(),
    lines.map((line) => JSON.parse(line)),
  );

  const csv = await assertDescribed(await service.audit(`${query}&format=csv`), 'get', EVENTS);
  const rows = readCsv(csv).slice(1).toReversed();
  assert.equal(rows.length, lines.length);
  assert.deepEqual(rows, lines.map(inertCells));
  assert.deepEqual(
    rows.flat().filter((cell) => FORMULA.test(cell)),
    [],
  );
  assert.ok(rows.flat().some((cell) => cell.startsWith("'=HYPERLINK")));
});

function inertCells(line: string): string[] {
  const record: PublishedRecord = JSON.parse(line);
  return CSV_COLUMNS.map((column) => {
    const value = record[column];
    const text = value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
    return FORMULA.test(text) ? `'${text}` : text;
  });
}

test('each naughty string that HTTP and a JWT can carry is one record of the request that sent it', async (t) => {
  const service = await startAuditService(t);
  const sent = NAUGHTY_STRINGS.filter((text) => text !== '' && text.length <= 200 && !/[\p{Cc}\p{Cs}]/u.test(text));
  assert.ok(sent.length >= 450);
  for (const text of sent) {
    // Bytes of UTF-8, as programs send them.
    const header = Buffer.from(text).toString('latin1').trim();
    const authorization = `Bearer ${await service.mint({ sub: text })}`;
    const headers = { authorization, 'user-agent': header, 'x-request-id': header };
    assert.equal((await service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw' }, headers))).status, 403);
  }
  const subjects = new Map<string, number>();
  for (const text of sent) {
    const query = `${EVENTS}?caller=${encodeURIComponent(text)}&format=ndjson`;
    const lines = (await (await service.audit(query)).text()).split('\n').slice(0, -1);
    subjects.set(text, lines.length);
    for (const line of lines) {
      assertRecord(line);
      const { subject, user_agent: agent }: PublishedRecord = JSON.parse(line);
      assert.equal(subject, text);
      assert.match(agent ?? '', /^\P{Cc}*$/u);
    }
  }
  const expected = new Map<string, number>();
  for (const text of sent) expected.set(text, (expected.get(text) ?? 0) + 1);
  assert.deepEqual(subjects, expected);
});
