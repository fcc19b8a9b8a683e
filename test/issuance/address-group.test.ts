import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressGroup } from '../../src/issuance/address-group.ts';

const GROUPS: Readonly<Record<string, string>> = {
  '10.1.2.3': '10.1.2.3',
  '::ffff:10.1.2.3': '10.1.2.3',
  '2001:db8:1:2:3:4:5:6': '2001:db8:1:2',
  '2001:0DB8:0001:0002::1': '2001:db8:1:2',
  '2001:db8::1': '2001:db8:0:0',
  '::1': '0:0:0:0',
  '::': '0:0:0:0',
  'fe80::1%eth0': 'fe80:0:0:0',
  '1:2:3:4:5:6:7::': '1:2:3:4',
  '::FFFF:192.168.100.200': '192.168.100.200',
  '2001:db8::2:3:4:5:6': '2001:db8:0:2',
  '2001::3:4:5:6:7:8': '2001:0:3:4',
  '::2:3:4:5:6:7:8': '0:2:3:4',
  '::3:4:5:6:7:8': '0:0:3:4',
  '1:2:3::': '1:2:3:0',
  '::ffff:10.1.2.3%eth0': '0:0:0:0',
  '64:ff9b::ffff:10.1.2.3': '64:ff9b:0:0',
};
for (const [address, group] of Object.entries(GROUPS)) {
  test(`${address} belongs to ${group}`, () => assert.equal(addressGroup(address), group));
}
