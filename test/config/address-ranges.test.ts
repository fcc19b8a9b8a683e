import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileAddressRanges, networkOf } from '../../src/config/address-ranges.ts';

const COMPARISONS: readonly [ranges: readonly string[], address: string, holds: boolean][] = [
  [['10.0.0.0/8'], '10.255.255.255', true],
  [['10.0.0.0/8'], '11.0.0.0', false],
  [['10.0.0.0/8', '192.0.2.7'], '192.0.2.7', true],
  [['192.0.2.7'], '192.0.2.8', false],
  [['192.0.2.128/25'], '192.0.2.127', false],
  [['192.0.2.128/25'], '192.0.2.128', true],
  [['0.0.0.0/0'], '203.0.113.9', true],
  [['0.0.0.0/0'], '2001:db8::1', false],
  [['2001:db8::/32'], '2001:db8:ffff::1', true],
  [['2001:db8::/32'], '2001:db9::1', false],
  [['2001:db8::1'], '2001:0DB8:0:0::1', true],
  [['fe80::/10'], 'fe80::1%eth0', true],
  // One IPv4 address, however a socket or a proxy writes it.
  [['10.0.0.0/8'], '::ffff:10.1.2.3', true],
  [['10.0.0.0/8'], '::FFFF:a01:203', true],
  [['10.0.0.0/8'], '0:0:0:0:0:ffff:a01:203', true],
  [['10.0.0.0/8'], '::ffff:11.1.2.3', false],
  [['::ffff:10.0.0.0/104'], '10.1.2.3', true],
  [['::ffff:10.0.0.0/104'], '::ffff:10.1.2.3', true],
  [['::ffff:10.0.0.0/104'], '11.1.2.3', false],
  [['::ffff:192.0.2.7'], '192.0.2.7', true],
  // A range of IPv6 has no address of IPv4 in it.
  [['::/0'], '10.1.2.3', false],
  [['::/0'], '::ffff:10.1.2.3', false],
  [['::/64'], '::ffff:10.1.2.3', false],
  [['::/0'], '::1', true],
  // Not the mapped form: other addresses that hold one of IPv4.
  [['10.0.0.0/8'], '::10.1.2.3', false],
  [['10.0.0.0/8'], '64:ff9b::a01:203', false],
  [['10.0.0.0/8'], '2002:a01:203::1', false],
];
for (const [ranges, address, holds] of COMPARISONS) {
  test(`${address} is ${holds ? '' : 'not '}in ${ranges.join(', ')}`, () => {
    assert.equal(compileAddressRanges(ranges).holds(address), holds);
  });
}

for (const address of [
  '',
  'unknown',
  '10.1.2',
  '10.1.2.3:443',
  '[::1]',
  '010.1.2.3',
  '0x0a.1.2.3',
  '167838211',
  '10.1.2.3 ',
]) {
  test(`of ${JSON.stringify(address)}, which is no address, it cannot be told`, () => {
    assert.throws(() => compileAddressRanges(['10.0.0.0/8', '::/0']).holds(address), /is not an address$/);
  });
}

test('the text is what was written', () => {
  assert.equal(compileAddressRanges(['10.0.0.0/8', '2001:DB8::/32']).text, '10.0.0.0/8, 2001:DB8::/32');
});

const NETWORKS: readonly [range: string, network: string | undefined][] = [
  ['10.0.0.0/8', undefined],
  ['10.1.2.3/8', '10.0.0.0/8'],
  ['10.1.2.3', undefined],
  ['10.1.2.3/32', undefined],
  ['10.1.2.3/31', '10.1.2.2/31'],
  ['172.31.0.0/12', '172.16.0.0/12'],
  ['255.255.255.255/1', '128.0.0.0/1'],
  ['1.0.0.0/0', '0.0.0.0/0'],
  ['2001:db8::/32', undefined],
  ['2001:DB8:0::/32', undefined],
  ['2001:db8::1/32', '2001:db8::/32'],
  ['fd00:1:2:3:8000::/65', undefined],
  ['fd00:1:2:3:c000::/65', 'fd00:1:2:3:8000::/65'],
  ['::1/128', undefined],
  ['::1/0', '::/0'],
  ['::ffff:10.1.2.3/104', '::ffff:a00:0/104'],
  ['1:2:3:4:5:6:7:8/127', undefined],
  ['1:2:3:4:5:6:7:9/127', '1:2:3:4:5:6:7:8/127'],
];
for (const [range, network] of NETWORKS) {
  test(`${range} ${network === undefined ? 'is as it should be' : `is meant as ${network}`}`, () => {
    assert.equal(networkOf(range), network);
  });
}

test('addresses of IPv4 are in the ranges that arithmetic says, and a range begins where it says', () => {
  const written = (number: number) => [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.');
  const address = fc.oneof(fc.nat(0xffff_ffff), fc.constantFrom(0, 0xffff_ffff, 0x7fff_ffff, 0x8000_0000));
  fc.assert(
    fc.property(
      address,
      address,
      fc.integer({ min: 0, max: 32 }),
      fc.integer({ min: 0, max: 32 }),
      (one, other, bits, flip) => {
        const size = 2 ** (32 - bits);
        const first = Math.floor(one / size) * size;
        const range = `${written(first)}/${bits}`;
        assert.equal(networkOf(`${written(one)}/${bits}`), one === first ? undefined : range);
        // Near addresses too: `one` with a single bit changed.
        const near = flip === 32 ? one : (one ^ (1 << flip)) >>> 0;
        const holds = compileAddressRanges([range]);
        for (const asked of [one, other, near]) {
          assert.equal(
            holds.holds(written(asked)),
            asked >= first && asked < first + size,
            `${written(asked)} ${range}`,
          );
        }
      },
    ),
    { numRuns: 2000 },
  );
});
