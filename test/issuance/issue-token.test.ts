import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { AuditRecord } from '../../src/issuance/audit-record.ts';
import type { CallerRequest } from '../../src/issuance/authenticate-caller.ts';
import type { WantedIdentity } from '../../src/issuance/authorize.ts';
import { Fault } from '../../src/issuance/fault.ts';
import { compileGrants } from '../../src/issuance/grants.ts';
import { type IssuancePorts, issueToken, type TokenRequest } from '../../src/issuance/issue-token.ts';
import { readOwnRights } from '../../src/issuance/read-own-rights.ts';
import { accept, type Refusal, refuse } from '../../src/issuance/refusal.ts';
import { caller, CATALOG } from '../support/catalog.ts';

const NOW = 1_790_000_000_000;
const TOKEN = 'orders…:5432/?Action=connect&X-Amz-Signature=secret';

/** Ports that issue, and note each step in `steps` and each record in `records`. */
function ports(changes: Partial<IssuancePorts> = {}) {
  const steps: string[] = [];
  const records: AuditRecord[] = [];
  const noted = <Result>(step: string, result: Result): Result => {
    steps.push(step);
    return result;
  };
  const all: IssuancePorts = {
    audit: {
      record: (record) => noted('record', Promise.resolve((records.push(record), record.id))),
      probe: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
    newAuditId: () => 'id-1',
    configHash: 'hash',
    authenticate: () =>
      noted('authenticate', Promise.resolve(accept(caller({ claims: { jti: 'j' }, keptClaims: { email: 'a@b' } })))),
    grants: compileGrants(
      [
        {
          name: 'api',
          issuer: 'cluster',
          subject: caller().subject,
          allow: [{ database: 'orders', users: ['app_rw'], endpoints: ['writer'] }],
        },
      ],
      CATALOG,
    ),
    requireCaBundle: () => noted('ca bundle', undefined),
    resolveCredentials: () =>
      noted(
        'credentials',
        Promise.resolve({
          accessKeyId: 'AKIA',
          secretAccessKey: 'sss',
          sessionToken: 'ttt',
          expiresAt: null,
          roleArn: null,
        }),
      ),
    signAuthToken: ({ now }) =>
      noted('sign', Promise.resolve({ token: TOKEN, issuedAt: now, expiresAt: now + 900_000, limitedBy: 'rds' })),
    ...changes,
  };
  const request: TokenRequest<WantedIdentity> = {
    facts: { action: 'token.issue', clientAddress: '10.0.0.1', userAgent: 'ua', requestId: 'r', traceId: null },
    credentials: { authorization: ['Bearer jjj'], certificateThumbprint: null },
    admitSender: (verify) => verify(),
    readWanted: () => noted('read', accept({ database: 'orders', user: 'app_rw' })),
    admitCaller: () => noted('caller rate', Promise.resolve(undefined)),
    admitPermission: () => noted('database rate', Promise.resolve(undefined)),
    admitToken: () => undefined,
  };
  const issue = (more: Partial<TokenRequest<WantedIdentity>> = {}) => issueToken(all, { ...request, ...more }, NOW);
  return { all, issue, steps, records };
}

test('the steps follow one another, the record comes last, and holds what each step learned', async () => {
  const { issue, steps, records } = ports();
  const outcome = await issue();
  assert.deepEqual(steps, [
    'authenticate',
    'caller rate',
    'read',
    'database rate',
    'ca bundle',
    'credentials',
    'sign',
    'record',
  ]);
  assert.ok(outcome.kind === 'decided' && outcome.value.token.token === TOKEN);
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  assert.deepEqual(records, [
    {
      version: 1,
      id: 'id-1',
      time: NOW,
      action: 'token.issue',
      outcome: 'issued',
      reason: null,
      detail: null,
      repeated: 1,
      issuer: 'cluster',
      subject: 'system:serviceaccount:payments:api',
      claims: { email: 'a@b' },
      jtiHash: sha256('j'),
      database: 'orders',
      endpoint: 'writer',
      host: 'orders.cluster-abc.us-west-2.rds.amazonaws.com',
      port: 5432,
      region: 'us-west-2',
      user: 'app_rw',
      resourceArn: 'arn:aws:rds-db:us-west-2:123456789012:dbuser:cluster-ABCDEFGH/app_rw',
      grant: 'api',
      observed: null,
      configHash: 'hash',
      tokenFingerprint: sha256(TOKEN),
      tokenExpiresAt: NOW + 900_000,
      accessKeyId: 'AKIA',
      roleArn: null,
      client: null,
      clientAddress: '10.0.0.1',
      userAgent: 'ua',
      requestId: 'r',
      traceId: null,
    },
  ]);
});

const ALLOW = [{ database: 'orders', users: ['app_rw'], endpoints: ['writer'] }];
const API = { name: 'api', issuer: 'cluster', subject: caller().subject };

test('a refusal shows what was asked for, and which grant denies it', async () => {
  const wanted = { database: 'orders', user: 'app_ro', endpoint: 'reader', client: 'psql' };
  const refused = ports();
  await refused.issue({ readWanted: () => accept(wanted) });
  const shown = refused.records.map((record) => {
    const { outcome, reason, database, user, endpoint, client, grant, host, tokenFingerprint } = record;
    return [outcome, reason, database, user, endpoint, client, grant, host, tokenFingerprint];
  });
  assert.deepEqual(shown, [['refused', 'not_granted', 'orders', 'app_ro', 'reader', 'psql', null, null, null]]);
  assert.match(refused.records[0]?.detail ?? '', /^no grant allows \{"database":"orders","user":"app_ro"/);

  const deny = { ...API, name: 'stop', deny: [{ database: 'orders' }] };
  const denied = ports({ grants: compileGrants([{ ...API, allow: ALLOW }, deny], CATALOG) });
  const outcome = await denied.issue();
  assert.equal(outcome.kind, 'refused');
  assert.deepEqual([denied.records[0]?.reason, denied.records[0]?.grant], ['not_granted', 'stop']);
  assert.match(denied.records[0]?.detail ?? '', /^grant stop denies \{"database":"orders","user":"app_rw"\}/);

  const choice = [{ database: 'orders', users: ['app_rw', 'app_ro'], endpoints: ['writer'] }];
  const open = ports({ grants: compileGrants([{ ...API, allow: choice }], CATALOG) });
  await open.issue({ readWanted: () => accept({ database: 'orders' }) });
  assert.deepEqual([open.records[0]?.grant, open.records[0]?.user], [null, null]);
  assert.equal(open.records[0]?.detail, '2 choices are left for {"database":"orders"}');
  assert.deepEqual(open.steps, ['authenticate', 'caller rate', 'record']);
});

test('grants that only observe are named, the first 32 of them, and decide nothing', async () => {
  const observing = Array.from({ length: 40 }, (_, number) => ({
    ...API,
    ...{ name: `watch-${number}`, mode: 'observe' as const, deny: [{ database: 'orders' }] },
  }));
  const { issue, records } = ports({ grants: compileGrants([{ ...API, allow: ALLOW }, ...observing], CATALOG) });
  assert.equal((await issue()).kind, 'decided');
  assert.deepEqual(
    records[0]?.observed,
    observing.slice(0, 32).map(({ name }) => name),
  );
  assert.equal(records[0]?.grant, 'api');
});

test('a decision goes by the time and the address of the request', async () => {
  const holds = (address: string) => address === '10.0.0.1';
  const rule = { ...API, allow: ALLOW, notBefore: NOW, notAfter: NOW + 1, sourceCidrs: { text: '10.0.0.1', holds } };
  assert.equal((await ports({ grants: compileGrants([rule], CATALOG) }).issue()).kind, 'decided');
  const late = { ...rule, notBefore: NOW - 1, notAfter: NOW };
  assert.equal((await ports({ grants: compileGrants([late], CATALOG) }).issue()).kind, 'refused');
});

const refusal: Refusal = { reason: 'rate_limited', detail: 'too many', retryAfterSeconds: 1 };
const REFUSALS: readonly [
  step: string,
  ports: Partial<IssuancePorts>,
  request: Partial<TokenRequest<WantedIdentity>>,
  last: string,
][] = [
  ['the sender', {}, { admitSender: () => Promise.resolve(refuse(refusal)) }, 'record'],
  ['authenticate', { authenticate: () => Promise.resolve(refuse(refusal)) }, {}, 'record'],
  ["the caller's rate", {}, { admitCaller: () => Promise.resolve(refusal) }, 'authenticate record'],
  ['the body', {}, { readWanted: () => refuse(refusal) }, 'authenticate caller rate record'],
  [
    "the database's rate",
    {},
    { admitPermission: () => Promise.resolve(refusal) },
    'authenticate caller rate read record',
  ],
];
for (const [step, changes, request, expected] of REFUSALS) {
  test(`refused at ${step}, nothing after it happens but the record`, async () => {
    const { issue, steps, records } = ports(changes);
    const outcome = await issue(request);
    assert.deepEqual(outcome, { kind: 'refused', auditId: 'id-1', refusal });
    assert.equal(steps.join(' '), expected);
    assert.deepEqual(
      [records[0]?.outcome, records[0]?.reason, records[0]?.detail],
      ['refused', 'rate_limited', 'too many'],
    );
  });
}

const unavailable = new Fault('credentials_unavailable', 'none');
const FAULTS: readonly [step: string, changes: Partial<IssuancePorts>, code: string][] = [
  [
    'authenticate',
    { authenticate: () => Promise.reject(new Fault('issuer_keys_unavailable', 'down')) },
    'issuer_keys_unavailable',
  ],
  [
    'the CA bundle',
    {
      requireCaBundle: () => {
        throw new Fault('ca_bundle_unavailable', 'none');
      },
    },
    'ca_bundle_unavailable',
  ],
  ['the credentials', { resolveCredentials: () => Promise.reject(unavailable) }, 'credentials_unavailable'],
  ['signing', { signAuthToken: () => Promise.reject(new Error(`broke at ${TOKEN}`)) }, 'internal'],
];
for (const [step, changes, code] of FAULTS) {
  test(`a fault of ${step} is recorded as ${code}, and no token is in the outcome`, async () => {
    const { issue, records } = ports(changes);
    const outcome = await issue();
    assert.ok(outcome.kind === 'failed' && outcome.fault.code === code);
    assert.deepEqual([records[0]?.outcome, records[0]?.reason, records[0]?.tokenFingerprint], ['failed', code, null]);
    assert.ok(!JSON.stringify(records).includes('X-Amz'));
  });
}

const full = {
  record: () => Promise.reject(new Fault('audit_unavailable', 'full')),
  probe: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

test('a record that cannot be written turns an issued token into a fault without it', async () => {
  const outcome = await ports({ audit: full }).issue();
  assert.ok(outcome.kind === 'failed' && outcome.fault.code === 'audit_unavailable');
  assert.ok(!JSON.stringify(outcome).includes('X-Amz'));
});

test('a refusal that cannot be recorded is a fault, and an earlier fault is told before the one of the store', async () => {
  const refused = await ports({ audit: full }).issue({ readWanted: () => refuse(refusal) });
  assert.ok(refused.kind === 'failed' && refused.fault.code === 'audit_unavailable');
  const failed = await ports({ audit: full, resolveCredentials: () => Promise.reject(unavailable) }).issue();
  assert.ok(failed.kind === 'failed' && failed.fault === unavailable);
});

test("reading one's own rights leaves a record only when it is refused or fails", async () => {
  const request: CallerRequest = {
    facts: { action: 'caller.get', clientAddress: null, userAgent: null, requestId: null, traceId: null },
    credentials: { authorization: [], certificateThumbprint: null },
    admitSender: (verify) => verify(),
    admitCaller: () => Promise.resolve(undefined),
  };
  const good = ports();
  assert.equal((await readOwnRights(good.all, request, NOW, () => accept('x'))).kind, 'decided');
  assert.equal(good.records.length, 0);
  assert.equal((await readOwnRights(good.all, request, NOW, () => refuse(refusal))).kind, 'refused');
  const down = ports({ authenticate: () => Promise.reject(new Fault('issuer_keys_unavailable', 'down')) });
  assert.equal((await readOwnRights(down.all, request, NOW, () => accept('x'))).kind, 'failed');
  assert.deepEqual([good.records[0]?.reason, down.records[0]?.reason], ['rate_limited', 'issuer_keys_unavailable']);
});
