import { BlockList, isIP } from 'node:net';
import type { CompiledCondition } from '../issuance/caller-conditions.ts';

/** IPv4 addresses as a dual-stack socket writes them: they are compared with ranges of IPv4 alone. */
const MAPPED = blockList(['::ffff:0:0/96']);

/** Compiles addresses and CIDR ranges. An IPv4 address is the same one however it is written, and in no range of IPv6. */
export function compileAddressRanges(ranges: readonly string[]): CompiledCondition<string> {
  // Six kilobytes each, outside of the heap: made for those that somebody's request is compared with.
  let lists: { readonly four: BlockList; readonly six: BlockList } | undefined;
  return {
    text: ranges.join(', '),
    holds(address) {
      lists ??= {
        four: blockList(ranges.filter(isOfIPv4)),
        six: blockList(ranges.filter((range) => !isOfIPv4(range))),
      };
      const plain = address.split('%')[0] ?? address;
      const version = isIP(plain);
      if (version === 0) throw new Error(`${JSON.stringify(address)} is not an address`);
      if (version === 4) return lists.four.check(plain, 'ipv4');
      return (MAPPED.check(plain, 'ipv6') ? lists.four : lists.six).check(plain, 'ipv6');
    },
  };
}

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

function isOfIPv4(range: string): boolean {
  const [address = ''] = range.split('/');
  return isIP(address) === 4 || MAPPED.check(address, 'ipv6');
}

/**
 * Of a CIDR range whose address is not its first, the range that was meant: 10.0.0.0/8 for 10.1.2.3/8. undefined for a
 * range that is right, and for an address by itself.
 */
export function networkOf(range: string): string | undefined {
  const [address = '', bits] = range.split('/');
  if (bits === undefined) return undefined;
  const width = isIP(address) === 6 ? 16 : 8;
  const groups = width === 16 ? groupsOf(address) : address.split('.').map(Number);
  const network = groups.map((group, at) => group & maskOf(Number(bits) - at * width, width));
  if (network.every((group, at) => group === groups[at])) return undefined;
  if (width === 8) return `${network.join('.')}/${bits}`;
  const text = network.map((group) => group.toString(16)).join(':');
  return `${new URL(`http://[${text}]`).hostname.slice(1, -1)}/${bits}`;
}

/** The first `bits` of a group of `width` bits: none of them, some or all. */
function maskOf(bits: number, width: number): number {
  const kept = Math.min(Math.max(bits, 0), width);
  return ((1 << kept) - 1) << (width - kept);
}

/** The eight groups of an IPv6 address, as URL writes it: without IPv4 in it. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const before = numbersOf(head);
  if (tail === undefined) return before;
  const after = numbersOf(tail);
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function numbersOf(groups: string): number[] {
  return groups === '' ? [] : groups.split(':').map((group) => Number.parseInt(group, 16));
}
