import assert from 'node:assert/strict';
import { test } from 'node:test';
import { post, type RunningService, startService } from '../support/running-service.ts';

/* Grants as an operator writes them, decided by the running service. Requests come from 127.0.0.1. */

const GRANTS = `grants:
  - name: dba
    issuer: cluster
    subjectGlob: "person:*"
    when: "'dba' in claims.groups && claims.level >= 3"
    allow: [{ database: orders, users: [admin] }]
  - name: here
    issuer: cluster
    subject: here
    sourceCidrs: [10.0.0.0/8, 127.0.0.1]
    allow: [{ database: orders, users: [app_rw] }]
  - name: elsewhere
    issuer: cluster
    subject: elsewhere
    sourceCidrs: [10.0.0.0/8, "::/0"]
    allow: [{ database: orders, users: [app_rw] }]
  - name: developers
    issuer: cluster
    claims: { dev: true }
    allow: [{ database: orders, users: ["{claims.login}"], userPrefixes: [dev_] }]
  - name: over
    issuer: cluster
    subject: late
    notAfter: "2026-01-01T00:00:00Z"
    allow: [{ database: orders, users: [app_rw] }]
  - name: leavers
    issuer: cluster
    subjectGlob: "person:*"
    when: has(claims.left) && claims.left == true
    deny: [{ database: "*" }]
  - name: doubtful
    issuer: cluster
    subject: person:doubtful
    when: claims.contractor == true
    deny: [{ database: orders, users: [admin] }]
limits:`;

type Row = readonly [what: string, claims: object, user: string, grant: string | null, status: 201 | 403];

const DBA = { groups: ['web', 'dba'], level: 3 };
const ROWS: readonly Row[] = [
  ['an expression that is true', { sub: 'person:dana', ...DBA }, 'admin', 'dba', 201],
  ['an expression that is false', { sub: 'person:dana', ...DBA, level: 2 }, 'admin', null, 403],
  ['an expression over a claim that is not there', { sub: 'person:dana', groups: ['dba'] }, 'admin', null, 403],
  ['an expression over a claim of another kind', { sub: 'person:dana', groups: 'dba', level: 3 }, 'admin', null, 403],
  ['an address in the ranges', { sub: 'here' }, 'app_rw', 'here', 201],
  ['an address outside of the ranges', { sub: 'elsewhere' }, 'app_rw', null, 403],
  ['a user that a claim names', { dev: true, login: 'dev_jo' }, 'dev_jo', 'developers', 201],
  ['a user that another claim names', { dev: true, login: 'dev_jo' }, 'dev_dana', null, 403],
  ['a user that a claim names without the prefix', { dev: true, login: 'admin' }, 'admin', null, 403],
  ['the text of the configuration as a user', { dev: true }, '{claims.login}', null, 403],
  ['a grant whose time is over', { sub: 'late' }, 'app_rw', null, 403],
  ['a deny whose expression is true', { sub: 'person:dana', ...DBA, left: true }, 'admin', 'leavers', 403],
  ['a deny whose expression is false', { sub: 'person:dana', ...DBA, left: false }, 'admin', 'dba', 201],
  ['a deny that cannot be told', { sub: 'person:doubtful', ...DBA }, 'admin', 'doubtful', 403],
  ['a deny that could be told', { sub: 'person:doubtful', ...DBA, contractor: false }, 'admin', 'dba', 201],
];

async function outcome({ ask, mint, records }: RunningService, [, claims, user]: Row): Promise<[unknown, unknown]> {
  const headers = { authorization: `Bearer ${await mint({ ...claims })}` };
  const response = await ask('/v1/tokens', post({ database: 'orders', user }, headers));
  const { audit_id }: { readonly audit_id: string } = JSON.parse(await response.text());
  const grant = records().find(({ id }) => id === audit_id)?.grant;
  return [response.status, grant];
}

test('each kind of grant decides as it is written, and the record names it', async (t) => {
  const service = await startService(t, { config: (text) => text.replace(/grants:[^]*limits:/, GRANTS) });
  for (const row of ROWS) assert.deepEqual(await outcome(service, row), [row[4], row[3]], row[0]);
});

test('behind a trusted proxy the address of its client is compared, and nobody else may claim one', async (t) => {
  for (const [trusted, forwarded, status] of [
    ['127.0.0.1', '10.1.2.3', 201],
    ['127.0.0.1', '::ffff:10.1.2.3', 201],
    ['127.0.0.1', '192.0.2.1', 403],
    // Its client had a header of its own: the proxy has added whom it saw.
    ['127.0.0.1', '10.1.2.3, 192.0.2.1', 403],
    ['127.0.0.1', 'unknown', 403],
    ['192.0.2.9', '10.1.2.3', 403],
  ] as const) {
    const service = await startService(t, {
      config: (text) =>
        text
          .replace('{ port: 0, adminPort: 0 }', `{ port: 0, adminPort: 0, trustedProxies: [${trusted}] }`)
          .replace(/grants:[^]*limits:/, GRANTS),
    });
    const headers = {
      authorization: `Bearer ${await service.mint({ sub: 'elsewhere' })}`,
      'x-forwarded-for': forwarded,
    };
    const response = await service.ask('/v1/tokens', post({ database: 'orders', user: 'app_rw' }, headers));
    assert.equal(response.status, status, `${forwarded} by ${trusted}`);
  }
});
