import { BlockList, isIP } from 'node:net';
import type { CompiledCondition } from '../issuance/caller-conditions.ts';

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** Compiles addresses and CIDR ranges. An IPv4 address that a dual-stack socket writes as IPv6 is the IPv4 address. */
export function compileAddressRanges(ranges: readonly string[]): CompiledCondition<string> {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return {
    text: ranges.join(', '),
    holds(address) {
      const plain = MAPPED.exec(address)?.[1] ?? address.split('%')[0] ?? address;
      const version = isIP(plain);
      if (version === 0) throw new Error('not an address');
      return list.check(plain, version === 6 ? 'ipv6' : 'ipv4');
    },
  };
}
