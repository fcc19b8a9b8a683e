import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type AuditReader, UnknownCursor } from '../../src/issuance/audit-query.ts';
import { auditQueryText, shownPageText } from '../../src/issuance/audit-query-text.ts';
import type { AuditRecord } from '../../src/issuance/audit-record.ts';
import { compileAuditors } from '../../src/issuance/auditors.ts';
import { Fault } from '../../src/issuance/fault.ts';
import { type AuditPorts, type AuditRequest, readAuditPage, readAuditRecord } from '../../src/issuance/read-audit.ts';
import { accept, type Refusal, refuse } from '../../src/issuance/refusal.ts';
import { caller } from '../support/catalog.ts';

const NOW = 1_790_000_000_000;
const ID = '01a0c4f2-7b1e-7000-8000-000000000001';
const LINE = `{"id":"${ID}","subject":"the record that was read"}`;
const PAGE = { events: [LINE], next: 'c2' };
const WANTED = { query: { filter: { user: 'admin' }, limit: 10 }, detail: '{"user":"admin"}' };

type Wanted = typeof WANTED;

/** Ports whose caller is an auditor; each step is noted in `steps`, each record in `records`. */
function ports(changes: Partial<AuditPorts> = {}) {
  const steps: string[] = [];
  const records: AuditRecord[] = [];
  const noted = <Result>(step: string, result: Result): Result => {
    steps.push(step);
    return result;
  };
  const reader: AuditReader = {
    page: () => noted('read', Promise.resolve(PAGE)),
    get: () => noted('read', Promise.resolve(LINE)),
    close: () => Promise.resolve(),
  };
  const all: AuditPorts = {
    audit: {
      record: (record) => noted('record', Promise.resolve((records.push(record), record.id))),
      probe: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
    newAuditId: () => 'id-1',
    configHash: 'hash',
    authenticate: () => noted('authenticate', Promise.resolve(accept(caller()))),
    auditors: compileAuditors([{ name: 'security', issuer: 'cluster', subject: caller().subject }]),
    auditReader: reader,
    ...changes,
  };
  const request: AuditRequest<Wanted> = {
    facts: { action: 'audit.list', clientAddress: '10.0.0.1', userAgent: 'ua', requestId: 'r', traceId: null },
    credentials: { authorization: ['Bearer jjj'], certificateThumbprint: null },
    admitSender: (verify) => verify(),
    admitCaller: () => noted('caller rate', Promise.resolve(undefined)),
    readWanted: () => noted('query', accept(WANTED)),
  };
  const page = (more: Partial<AuditRequest<Wanted>> = {}) => readAuditPage(all, { ...request, ...more }, NOW);
  const get = (id: string | null) => {
    const readWanted = () => accept({ id, detail: JSON.stringify({ id: id ?? 'odd' }) });
    return readAuditRecord(all, { ...request, facts: { ...request.facts, action: 'audit.get' }, readWanted }, NOW);
  };
  return { page, get, steps, records, reader };
}

test('the steps follow one another, the record comes last, and says who read what by which entry', async () => {
  const { page, steps, records } = ports();
  const outcome = await page();
  assert.deepEqual(steps, ['authenticate', 'caller rate', 'query', 'read', 'record']);
  assert.deepEqual(outcome, { kind: 'decided', auditId: 'id-1', value: { wanted: WANTED, page: PAGE } });
  const { action, outcome: word, reason, subject, grant, detail } = records[0] ?? assert.fail();
  assert.deepEqual(
    { action, word, reason, subject, grant, detail },
    {
      action: 'audit.list',
      word: 'answered',
      reason: null,
      subject: caller().subject,
      grant: 'security',
      detail: `{"user":"admin","records":1,"first":"${ID}","last":"${ID}"}`,
    },
  );
  assert.ok(!JSON.stringify(records).includes('the record that was read'));
});

const refusal: Refusal = { reason: 'rate_limited', detail: 'too many', retryAfterSeconds: 1 };
const nobody = { auditors: compileAuditors([]) };
const REFUSALS: readonly [
  step: string,
  ports: Partial<AuditPorts>,
  request: Partial<AuditRequest<Wanted>>,
  reason: string,
  steps: string,
][] = [
  ['authenticate', { authenticate: () => Promise.resolve(refuse(refusal)) }, {}, 'rate_limited', 'record'],
  ["the caller's rate", {}, { admitCaller: () => Promise.resolve(refusal) }, 'rate_limited', 'authenticate record'],
  ['the auditors, whom it is not among', nobody, {}, 'not_granted', 'authenticate caller rate record'],
  ['the query', {}, { readWanted: () => refuse(refusal) }, 'rate_limited', 'authenticate caller rate record'],
];
for (const [step, changes, request, reason, expected] of REFUSALS) {
  test(`refused at ${step}, nothing is read, and the refusal is on record`, async () => {
    const { page, steps, records } = ports(changes);
    const outcome = await page(request);
    assert.ok(outcome.kind === 'refused' && outcome.refusal.reason === reason);
    assert.equal(steps.join(' '), expected);
    assert.deepEqual([records[0]?.outcome, records[0]?.reason], ['refused', reason]);
  });
}

test('an unknown cursor is a malformed request that names the field', async () => {
  const { page, records } = ports({
    auditReader: { ...ports().reader, page: () => Promise.reject(new UnknownCursor()) },
  });
  const outcome = await page();
  assert.ok(outcome.kind === 'refused' && outcome.refusal.reason === 'request_malformed');
  assert.deepEqual(
    outcome.refusal.problems.map(({ field }) => field),
    ['cursor'],
  );
  assert.equal(records[0]?.grant, 'security');
});

test('one record is read by its id, which is what the record of the reading says', async () => {
  const { get, records } = ports();
  assert.deepEqual(await get('i'), { kind: 'decided', auditId: 'id-1', value: LINE });
  assert.deepEqual(
    [records[0]?.action, records[0]?.outcome, records[0]?.detail],
    ['audit.get', 'answered', '{"id":"i"}'],
  );
});

test('a record that is not there is a refusal, and an odd id is not asked for at all', async () => {
  const { get, records, steps } = ports();
  assert.equal((await get(null)).kind, 'refused');
  assert.ok(!steps.includes('read'));
  const empty = ports({ auditReader: { ...ports().reader, get: () => Promise.resolve(null) } });
  assert.equal((await empty.get('i')).kind, 'refused');
  assert.deepEqual(
    [records[0]?.reason, records[0]?.detail, empty.records[0]?.detail],
    ['event_not_found', 'no record has the id {"id":"odd"}', 'no record has the id {"id":"i"}'],
  );
});

test('a store that cannot be read is a fault on record', async () => {
  const unreadable = new Fault('audit_unavailable', 'the store is gone');
  const { page, records } = ports({
    auditReader: { ...ports().reader, page: () => Promise.reject(unreadable) },
  });
  const outcome = await page();
  assert.ok(outcome.kind === 'failed' && outcome.fault === unreadable);
  assert.deepEqual(
    [records[0]?.outcome, records[0]?.reason, records[0]?.detail],
    ['failed', 'audit_unavailable', 'the store is gone'],
  );
});

test('what was read is dropped when the reading cannot be recorded', async () => {
  const audit = {
    record: () => Promise.reject(new Fault('audit_unavailable', 'full')),
    probe: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  const { page, get, steps } = ports({ audit });
  for (const outcome of [await page(), await get('i')]) {
    assert.ok(outcome.kind === 'failed' && outcome.fault.code === 'audit_unavailable');
    assert.ok(!JSON.stringify(outcome).includes('the record that was read'));
  }
  assert.equal(steps.filter((step) => step === 'read').length, 2);
});

test('the text of a query has its conditions, times in UTC, and the cursor', () => {
  const filter = { from: Date.UTC(2026, 0, 2), to: undefined, subject: 'a"b', outcome: 'refused' } as const;
  const text = '{"from":"2026-01-02T00:00:00.000Z","subject":"a\\"b","outcome":"refused","limit":100,"format":"csv"';
  assert.equal(auditQueryText({ filter, limit: 100 }, 'csv'), `${text}}`);
  assert.equal(auditQueryText({ filter, limit: 100, cursor: 'c"2' }, 'csv'), `${text},"cursor":"c\\"2"}`);
  const longest = 'c'.repeat(100);
  assert.equal(auditQueryText({ filter, limit: 100, cursor: longest }, 'csv'), `${text},"cursor":"${longest}"}`);
  const sha256 = createHash('sha256').update(`${longest}c`).digest('hex');
  assert.equal(
    auditQueryText({ filter, limit: 100, cursor: `${longest}c` }, 'csv'),
    `${text},"cursor_sha256":"${sha256}"}`,
  );
});

test('the text of a page has how many records were shown and the ids at its ends, null for a line without one', () => {
  const line = (number: number) => JSON.stringify({ claims: { id: 'x' }, id: ID.replace(/1$/, String(number)) });
  assert.equal(shownPageText('{"limit":9}', { events: [] }), '{"limit":9,"records":0}');
  assert.equal(
    shownPageText('{"limit":9}', { events: [3, 2, 1].map(line) }),
    `{"limit":9,"records":3,"first":"${ID.replace(/1$/, '3')}","last":"${ID}"}`,
  );
  for (const odd of ['{', 'null', '{"id":7}', `{"id":"${'x'.repeat(1000)}"}`]) {
    assert.equal(shownPageText('{}', { events: [odd, line(1)] }), `{"records":2,"first":null,"last":"${ID}"}`);
  }
});
