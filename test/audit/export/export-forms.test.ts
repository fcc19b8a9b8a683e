import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { cloudEvent } from '../../../src/audit/export/cloud-event.ts';
import { ocsfEvent } from '../../../src/audit/export/ocsf.ts';
import { ACTIONS, OUTCOMES } from '../../../src/issuance/audit-record.ts';
import { COMMAND_LINE } from '../../../src/issuance/command-line.ts';
import type { PublishedRecord } from '../../../src/issuance/published-record.ts';
import { NAUGHTY_STRINGS } from '../../support/naughty-strings.ts';
import { OCSF_AUTHENTICATION } from '../../support/ocsf-authentication.ts';
import { publishedRecord } from '../../support/published-record.ts';

/** CloudEvents 1.0.2, "Required Attributes", "Optional Attributes" and "Type System". */
const attribute = { type: 'string', minLength: 1, pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]*$' } as const;
const CLOUD_EVENT = {
  type: 'object',
  required: ['id', 'source', 'specversion', 'type'],
  properties: {
    ...{ id: attribute, type: attribute, subject: attribute, datacontenttype: attribute },
    ...{ specversion: { const: '1.0' }, source: { ...attribute, format: 'uri-reference' } },
    ...{ dataschema: { ...attribute, format: 'uri' }, time: { ...attribute, format: 'date-time' }, data: {} },
  },
  // Names of attributes are lower-case letters and digits.
  propertyNames: { pattern: '^[a-z0-9]+$' },
  additionalProperties: false,
} as const;

const formats = {
  ipv4: isIPv4,
  ipv6: isIPv6,
  hostname: /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/,
  'uri-reference': (text: string) =>
    /^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]*$/.test(text) && URL.canParse(text, 'http://x'),
  uri: (text: string) => URL.canParse(text),
  'date-time': /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/,
};
const ajv = new Ajv2020({ allErrors: true, formats, strictRequired: false, strictTypes: false });
const fitsOcsf = ajv.compile(OCSF_AUTHENTICATION);
const fitsCloudEvents = ajv.compile(CLOUD_EVENT);

function assertForms(record: PublishedRecord, about: string): void {
  const event = cloudEvent(record);
  assert.ok(fitsCloudEvents(event), `${about} ${JSON.stringify(fitsCloudEvents.errors)}`);
  assert.deepEqual(JSON.parse(JSON.stringify(event)).data, record);
  const ocsf: unknown = JSON.parse(JSON.stringify(ocsfEvent(record, '1.2.3')));
  assert.ok(fitsOcsf(ocsf), `${about} ${JSON.stringify(fitsOcsf.errors)}`);
  for (const line of [JSON.stringify(event), JSON.stringify(ocsf)]) assert.ok(!/[\r\n]/.test(line));
}

/** All that is on record of a request that was refused before anything of it was believed. */
const BARE: PublishedRecord = {
  ...publishedRecord({ outcome: 'refused', reason: 'token_missing', repeated: 1 }),
  ...{
    issuer: null,
    subject: null,
    claims: null,
    jti_hash: null,
    database: null,
    endpoint: null,
    host: null,
    port: null,
  },
  ...{
    region: null,
    user: null,
    resource_arn: null,
    grant: null,
    observed: null,
    token_fingerprint: null,
    token_expires_at: null,
  },
  ...{ access_key_id: null, role_arn: null, client: null, client_address: null, user_agent: null, request_id: null },
  ...{ trace_id: null, detail: null, previous_hash: null },
};

test('records of every action and outcome are valid CloudEvents 1.0 and OCSF 3002 events, full and bare', () => {
  for (const action of ACTIONS) {
    for (const outcome of OUTCOMES) {
      assertForms(publishedRecord({ action, outcome }), `${action} ${outcome}`);
      assertForms({ ...BARE, action, outcome }, `bare ${action} ${outcome}`);
    }
  }
});

test('a record with any one member null is valid in both forms', () => {
  const nullable = Object.keys(BARE).filter((name) => new Map(Object.entries(BARE)).get(name) === null);
  assert.ok(nullable.length > 20);
  const full = new Map(Object.entries(publishedRecord()));
  for (const name of nullable) assertForms(Object.assign(publishedRecord(), { [name]: null }), `without ${name}`);
  // A port is on record with its host.
  for (const name of nullable.filter((name) => name !== 'port')) {
    assertForms(Object.assign({ ...BARE }, { [name]: full.get(name) }), `only ${name}`);
  }
});

test('odd texts in what strangers choose are valid in both forms', () => {
  for (const text of NAUGHTY_STRINGS) {
    const odd = { subject: text, database: text, user: text, endpoint: text, client: text, user_agent: text };
    assertForms(
      publishedRecord({ ...odd, request_id: text, client_address: text, detail: text }),
      JSON.stringify(text),
    );
  }
});

test('the schema of the tests refuses an event without what OCSF requires, and one with what it does not know', () => {
  const event = { ...ocsfEvent(publishedRecord(), '1.2.3') };
  assert.ok(fitsOcsf(event));
  for (const name of OCSF_AUTHENTICATION.required) assert.ok(!fitsOcsf({ ...event, [name]: undefined }), name);
  const wrong = [
    { odd: 1 },
    { status_id: 3 },
    { class_uid: 3001 },
    { user: {} },
    { src_endpoint: { ip: 'x' } },
    { time: '1' },
  ];
  for (const change of wrong) assert.ok(!fitsOcsf({ ...event, ...change }), JSON.stringify(change));
});

test('what the types and ids of events are', () => {
  assert.equal(cloudEvent(publishedRecord()).type, 'rds-token-vendor.token.issued');
  assert.equal(
    cloudEvent(publishedRecord({ action: 'audit.export', outcome: 'answered' })).type,
    'rds-token-vendor.audit.answered',
  );
  assert.equal(cloudEvent(publishedRecord({ database: 'a/b', user: 'c d' })).subject, 'a%2Fb/c%20d');
  const { type_uid: type, auth_protocol_id: protocol } = members(ocsfEvent(publishedRecord(), ''));
  assert.deepEqual([type, protocol], [300_299, 6]);
  assert.equal(members(ocsfEvent(publishedRecord({ issuer: COMMAND_LINE }), ''))['auth_protocol_id'], undefined);
});

function members(value: object): Readonly<Record<string, unknown>> {
  return { ...value };
}
