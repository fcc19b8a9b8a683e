import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assembleFetchedBundle } from '../../src/rds/assemble-fetched-bundle.ts';
import { readBuiltInBundle } from '../../src/rds/builtin-ca-bundles.ts';
import { makeCa } from '../../demo/certificate-authority.ts';

const NOW = Date.parse('2026-11-24T10:15:00Z');
const DAY = 86_400_000;

async function root(name: string, from = NOW - DAY, to = NOW + DAY): Promise<string> {
  return (await makeCa(name, { notBefore: from, notAfter: to })).certPem;
}

for (const region of ['us-gov-west-1', 'cn-north-1', 'mx-central-1']) {
  test(`${region}, which is not built in, is taken when it holds a root of that name`, async () => {
    const pem = await root(`Amazon RDS ${region} Root CA ECC384 G1`);
    assert.equal(assembleFetchedBundle(region, pem, NOW).certificates[0]?.caId, 'rds-ca-ecc384-g1');
  });
}

test('global takes the roots of any region, and refuses those of RDS Proxy', () => {
  const pem = readBuiltInBundle('eu-west-1', NOW)?.pem ?? '';
  assert.equal(assembleFetchedBundle('global', pem, NOW).certificates.length, 3);
  const amazon = readBuiltInBundle('amazon-roots', NOW)?.pem ?? '';
  const message = 'holds no valid RDS root of any region';
  assert.throws(() => assembleFetchedBundle('global', amazon, NOW), { message });
});

const WRONG: readonly [what: string, names: readonly string[]][] = [
  ['a region whose name begins alike', ['Amazon RDS us-west-21 Root CA RSA2048 G1']],
  ['a region whose name ends alike', ['Amazon RDS xus-west-2 Root CA RSA2048 G1']],
  ['the root of 2019', ['Amazon RDS us-west-2 2019 CA']],
  ['the region in other letters', ['Amazon RDS US-WEST-2 Root CA RSA2048 G1']],
  ['an organisation’s own CA', ['Corp Root CA']],
  [
    'two halves of the name in two certificates',
    ['Amazon RDS us-east-1 Root CA RSA2048 G1', 'CN=Amazon RDS us-west-2 Root CA '],
  ],
];
for (const [what, names] of WRONG) {
  test(`a bundle for us-west-2 with ${what} is refused`, async () => {
    const pems = await Promise.all(names.map((name) => root(name)));
    const message = 'holds no valid RDS root of the region us-west-2';
    assert.throws(() => assembleFetchedBundle('us-west-2', pems.join(''), NOW), { message });
  });
}

test('the region’s expired root beside another valid certificate is refused', async () => {
  const name = 'Amazon RDS us-west-2 Root CA RSA2048 G1';
  const pem = (await root(name, NOW - 2 * DAY, NOW - DAY)) + (await root('Corp Root CA'));
  const message = 'holds no valid RDS root of the region us-west-2';
  assert.throws(() => assembleFetchedBundle('us-west-2', pem, NOW), { message });
});

test('notAfter is that of the first certificate still to expire', async () => {
  const name = 'Amazon RDS us-west-2 Root CA RSA2048 G1';
  const ends = [NOW - DAY, NOW + 5 * DAY, NOW + 3 * DAY];
  const pems = await Promise.all(ends.map((end) => root(name, NOW - 2 * DAY, end)));
  assert.equal(assembleFetchedBundle('us-west-2', pems.join(''), NOW).notAfter, NOW + 3 * DAY);
});
