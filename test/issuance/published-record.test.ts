import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import canonicalize from 'canonicalize';
import { leafHash } from '../../src/audit/chain/extend.ts';
import { recordOf, rowOf } from '../../src/audit/record-row.ts';
import { canonicalText, publishedLine } from '../../src/issuance/published-record.ts';
import { auditRecord } from '../support/audit-records.ts';
import { NAUGHTY_STRINGS } from '../support/naughty-strings.ts';
import { asPublished } from '../support/published-records.ts';

const LINK = { instance: 'pod-1', sequence: 7, previousHash: 'a'.repeat(64) };

const CLAIMS = [
  null,
  {},
  { b: 1, a: 2, 'a.b': 3, ä: 4, A: 5, 'z.10': 6, 'z.9': 7 },
  { n: [0, -1.5, 1e21, 1e-7, 123456789012345680000], t: true, list: ['b', 'a'] },
  { '\u{1f600}': 1, '\ufb33': 2, ö: 'x' },
];
for (const [index, claims] of CLAIMS.entries()) {
  test(`the canonical text is RFC 8785, as another implementation writes it: claims ${index}`, () => {
    const record = recordOf(rowOf(auditRecord({ claims })));
    const text = canonicalText(record, LINK);
    assert.equal(text, canonicalize(JSON.parse(text)));
    assert.deepEqual(JSON.parse(text), { ...asPublished(record, 'pod-1', 7), previous_hash: LINK.previousHash });
  });
}

test('the canonical text is RFC 8785 whatever a text holds', () => {
  for (const odd of NAUGHTY_STRINGS) {
    const all = { subject: odd, userAgent: odd, requestId: odd, detail: odd, claims: { [`x${odd}`]: odd } };
    const text = canonicalText(recordOf(rowOf(auditRecord(all))), LINK);
    assert.equal(text, canonicalize(JSON.parse(text)));
    assert.ok(!text.includes('\n'));
  }
});

test('the first record of a chain has null before it', () => {
  const text = canonicalText(auditRecord(), { ...LINK, sequence: 1, previousHash: null });
  assert.equal(JSON.parse(text).previous_hash, null);
});

test('the hash is SHA-256 of a zero byte and the canonical text, and the line ends with it', () => {
  const text = canonicalText(auditRecord(), LINK);
  const expected = createHash('sha256')
    .update(Buffer.from([0]))
    .update(text)
    .digest('hex');
  assert.equal(leafHash(text).toString('hex'), expected);
  const line = publishedLine(text, expected);
  assert.deepEqual(JSON.parse(line), { ...JSON.parse(text), hash: expected });
});
