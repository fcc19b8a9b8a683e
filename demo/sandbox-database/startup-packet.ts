/** What a client sends before anything else; it has no type byte. */
export type StartupPacket =
  | { readonly kind: 'tls' }
  | { readonly kind: 'gss' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'startup'; readonly parameters: ReadonlyMap<string, string> };

/** PostgreSQL's own limit (MAX_STARTUP_PACKET_LENGTH). */
export const MAX_STARTUP_BYTES = 10_000;

const CODES: ReadonlyMap<number, 'tls' | 'gss' | 'cancel'> = new Map([
  [80_877_103, 'tls'],
  [80_877_104, 'gss'],
  [80_877_102, 'cancel'],
]);

/** How many bytes the packet at the start of `bytes` has, or undefined while its length is still to come. */
export function startupPacketLength(bytes: Buffer): number | undefined {
  if (bytes.length < 4) return undefined;
  const length = bytes.readUInt32BE(0);
  if (length < 8 || length > MAX_STARTUP_BYTES) throw new Error('invalid length of startup packet');
  return length;
}

export function parseStartupPacket(packet: Buffer): StartupPacket {
  const code = packet.readUInt32BE(4);
  const kind = CODES.get(code);
  if (kind !== undefined) return { kind };
  if (code !== 0x30000) throw new Error(`unsupported frontend protocol ${code >>> 16}.${code & 0xffff}`);
  return { kind: 'startup', parameters: parseParameters(packet.toString('utf8', 8)) };
}

/** Pairs of zero-terminated strings, and one more zero. */
function parseParameters(text: string): ReadonlyMap<string, string> {
  if (!text.endsWith('\0\0')) throw new Error('invalid startup packet layout: expected terminator as last byte');
  const strings = text.slice(0, -2).split('\0');
  if (strings.length % 2 !== 0) throw new Error('invalid startup packet layout');
  const parameters = new Map<string, string>();
  for (let index = 0; index < strings.length; index += 2)
    parameters.set(strings[index] ?? '', strings[index + 1] ?? '');
  return parameters;
}
