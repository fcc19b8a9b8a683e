import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openAuditReader } from '../../src/audit/open-audit-reader.ts';
import { problemSchema } from '../../src/http/schemas.ts';
import { newAuditId } from '../../src/issuance/audit-id.ts';
import type { AuditLog } from '../../src/issuance/audit-record.ts';
import { Fault } from '../../src/issuance/fault.ts';
import { auditRecord } from '../support/audit-records.ts';
import { startAuditService } from '../support/audit-service.ts';
import { assertDescribed } from '../support/contract.ts';
import { post } from '../support/running-service.ts';

const EVENTS = '/v1/audit/events';
const TYPE = 'urn:rds-token-vendor:problem:';

test('a caller that is no auditor gets the 403 of everything that is not granted, whatever it asks', async (t) => {
  const service = await startAuditService(t);
  const answers = new Set<string>();
  const issued = await service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw' }));
  const { audit_id: id } = JSON.parse(await issued.text());
  for (const path of [
    EVENTS,
    `${EVENTS}?odd=1`,
    `${EVENTS}?format=csv`,
    `${EVENTS}/${id}`,
    `${EVENTS}/x`,
    '/v1/databases/x',
  ]) {
    const response = await service.ask(path);
    const headers = [...response.headers].filter(([name]) => name !== 'date' && name !== 'content-length');
    const { audit_id: _id, ...problem } = problemSchema.parse(await response.json());
    answers.add(JSON.stringify([response.status, headers, problem]));
  }
  assert.equal(answers.size, 1);
  assert.match([...answers][0] ?? '', /^\[403,.*:not-granted"/);
  const refused = service.records().filter(({ outcome }) => outcome === 'refused');
  assert.deepEqual(
    refused.map(({ action, reason, grant }) => [action, reason, grant]),
    ['audit.list', 'audit.list', 'audit.export', 'audit.get', 'audit.get', 'database.get'].map((action) => [
      action,
      'not_granted',
      null,
    ]),
  );
});

test('without a valid token nobody learns how the audit is read, and each try is on record', async (t) => {
  const service = await startAuditService(t);
  for (const path of [`${EVENTS}?odd=1`, `${EVENTS}/x`]) {
    assert.equal((await fetch(new URL(path, service.url))).status, 401);
    assert.equal((await service.ask(path, { headers: { authorization: 'Bearer x' } })).status, 401);
  }
  assert.deepEqual(
    service.records().map(({ action, reason }) => [action, reason]),
    [
      ['audit.list', 'token_missing'],
      ['audit.list', 'token_invalid'],
      ['audit.get', 'token_missing'],
      ['audit.get', 'token_invalid'],
    ],
  );
});

test('an auditor may read and nothing else', async (t) => {
  const service = await startAuditService(t);
  assert.equal((await service.audit(EVENTS)).status, 200);
  const token = await service.mint({ sub: 'alice', groups: ['security-audit'] });
  const issuing = await service.ask('/v1/tokens', post({ database: 'orders' }, { authorization: `Bearer ${token}` }));
  assert.equal(issuing.status, 403);
  for (const method of ['POST', 'PUT', 'DELETE']) {
    assert.equal((await service.ask(EVENTS, { method })).status, 405);
  }
});

test('one record is read by its id, as it is in the list', async (t) => {
  const service = await startAuditService(t);
  const issued = await service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw' }));
  const { audit_id: id } = JSON.parse(await issued.text());
  const response = await service.audit(`${EVENTS}/${id}`);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  const line = await assertDescribed(response, 'get', '/v1/audit/events/{id}');
  assert.equal(JSON.parse(line).id, id);
  const listed = await service.audit(`${EVENTS}?action=token.issue`);
  assert.equal(await assertDescribed(listed, 'get', EVENTS), `{"events":[${line}],"next":null}`);
  assert.equal(await (await service.audit(`${EVENTS}/${id.toUpperCase()}`)).text(), line);
});

test('an id that is unknown and one that is none have one answer', async (t) => {
  const service = await startAuditService(t);
  const answers = new Set<string>();
  for (const id of [newAuditId(Date.now()), 'x', '%27%20or%201=1', '%00', `${newAuditId(0)}0`]) {
    const response = await service.audit(`${EVENTS}/${id}`);
    const text = await assertDescribed(response, 'get', '/v1/audit/events/{id}');
    const { audit_id: auditId, ...problem } = problemSchema.parse(JSON.parse(text));
    assert.ok(auditId);
    answers.add(JSON.stringify(problem));
  }
  assert.equal(answers.size, 1);
  assert.match([...answers][0] ?? '', /problem:event-not-found".*"status":404/);
  assert.deepEqual(
    service.records().map(({ reason, grant }) => [reason, grant]),
    Array.from({ length: 5 }, () => ['event_not_found', 'security']),
  );
});

test('reading is recorded: who, by which entry, what was asked for, and the answer names that record', async (t) => {
  const service = await startAuditService(t, { written: [auditRecord()] });
  const { id } = JSON.parse((await (await service.audit(`${EVENTS}?format=ndjson`)).text()).trim());
  const read = [
    await service.audit(`${EVENTS}?user=app_rw&from=2026-01-01T00:00:00%2B02:00&limit=7`),
    await service.audit(`${EVENTS}?caller=x`, { accept: 'text/csv' }),
    await service.audit(`${EVENTS}/${id}`),
  ];
  const records = service.records().filter(({ instance }) => instance === 'pod-1');
  const shown = `"records":1,"first":"${id}","last":"${id}"`;
  assert.deepEqual(
    records.map(({ action, outcome, reason, subject, grant, detail }) => [
      action,
      outcome,
      reason,
      subject,
      grant,
      detail,
    ]),
    [
      ['audit.export', 'answered', null, 'alice', 'security', `{"limit":100,"format":"ndjson",${shown}}`],
      [
        'audit.list',
        'answered',
        null,
        'alice',
        'security',
        `{"from":"2025-12-31T22:00:00.000Z","user":"app_rw","limit":7,"format":"json",${shown}}`,
      ],
      ['audit.export', 'answered', null, 'alice', 'security', '{"subject":"x","limit":100,"format":"csv","records":0}'],
      ['audit.get', 'answered', null, 'alice', 'security', JSON.stringify({ id })],
    ],
  );
  assert.deepEqual(
    read.map((response) => response.headers.get('rtv-audit-id')),
    records.slice(1).map((record) => record.id),
  );
  const metrics = await (await fetch(new URL('/metrics', service.adminUrl))).text();
  for (const [action, count] of [
    ['list', 1],
    ['export', 2],
    ['get', 1],
  ]) {
    const line = `rtv_decisions_total{action="audit.${action}",outcome="answered",reason=""} ${count}\n`;
    assert.ok(metrics.includes(line), line);
  }
});

test('a page that a made-up cursor leads to is on record with the cursor and the records that it showed', async (t) => {
  const written = Array.from({ length: 5 }, (_, at) => auditRecord({ time: 1_790_000_000_000 + at * 1_000 }));
  const service = await startAuditService(t, { written });
  // The position in a SQLite store of a time that no page ended with.
  const cursor = Buffer.from(`s${1_790_000_003_500 * 1024}`).toString('base64url');
  const page = await (await service.audit(`${EVENTS}?limit=2&cursor=${cursor}`)).text();
  const ids = [written[3]?.id, written[2]?.id];
  assert.deepEqual(
    JSON.parse(page).events.map((event: { readonly id: string }) => event.id),
    ids,
  );
  assert.equal(
    service.records().find(({ action }) => action === 'audit.list')?.detail,
    JSON.stringify({ limit: 2, format: 'json', cursor, records: 2, first: ids[0], last: ids[1] }),
  );
});

test('one record takes no query: each parameter is a 400 that names it, for auditors', async (t) => {
  const written = [auditRecord()];
  const service = await startAuditService(t, { written });
  const path = `${EVENTS}/${written[0]?.id}`;
  for (const [query, fields] of [
    ['format=csv', ['format']],
    ['id=x&odd', ['id', 'odd']],
    ['%', ['']],
  ] as const) {
    const response = await service.audit(`${path}?${query}`);
    const text = await assertDescribed(response, 'get', '/v1/audit/events/{id}');
    const problem = problemSchema.parse(JSON.parse(text));
    assert.deepEqual([response.status, problem.type], [400, `${TYPE}request-malformed`]);
    assert.deepEqual(
      problem.problems?.map(({ field }) => field),
      fields,
    );
    assert.equal((await service.ask(`${path}?${query}`)).status, 403);
  }
  assert.equal((await service.audit(`${path}?`)).status, 200);
});

test('when the reading cannot be recorded, the answer is 503 and holds no record', async (t) => {
  const unavailable = () => Promise.reject(new Fault('audit_unavailable', 'the disk is full'));
  const audit: AuditLog = { record: unavailable, probe: unavailable, close: () => Promise.resolve() };
  const written = [auditRecord({ subject: 'somebody' })];
  const service = await startAuditService(t, { written, overrides: { audit } });
  for (const path of [EVENTS, `${EVENTS}?format=csv`, `${EVENTS}?format=ndjson`, `${EVENTS}/${written[0]?.id}`]) {
    const response = await service.audit(path);
    const text = await response.text();
    assert.deepEqual([response.status, JSON.parse(text).type], [503, `${TYPE}unavailable:audit-unavailable`]);
    assert.ok(!text.includes('somebody'));
  }
});

test('when the store cannot be read, the answer is 503 with Retry-After, and the failure is on record', async (t) => {
  const auditReader = openAuditReader({ type: 'sqlite', path: '/nowhere/audit.db' });
  const service = await startAuditService(t, { overrides: { auditReader } });
  for (const [path, template] of [
    [EVENTS, EVENTS],
    [`${EVENTS}/${newAuditId(0)}`, '/v1/audit/events/{id}'],
  ] as const) {
    const response = await service.audit(path);
    assert.match(response.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
    const problem = problemSchema.parse(JSON.parse(await assertDescribed(response, 'get', template)));
    assert.deepEqual([response.status, problem.type], [503, `${TYPE}unavailable:audit-unavailable`]);
    assert.ok(!JSON.stringify(problem).includes('nowhere'));
  }
  assert.deepEqual(
    service.records().map(({ outcome, reason, grant, detail }) => [outcome, reason, grant, detail]),
    Array.from({ length: 2 }, () => [
      'failed',
      'audit_unavailable',
      'security',
      'the audit store cannot be read: there is no audit store at /nowhere/audit.db',
    ]),
  );
});

test('an auditor over its rate gets 429, on record', async (t) => {
  const config = (text: string) => text.replace('perCaller: 1000/s', 'perCaller: 1/m');
  const service = await startAuditService(t, { config });
  assert.equal((await service.audit(EVENTS)).status, 200);
  const response = await service.audit(EVENTS);
  await assertDescribed(response, 'get', EVENTS);
  assert.deepEqual([response.status, service.records()[1]?.reason], [429, 'rate_limited']);
});
