/*
 * PostgreSQL's frontend/backend protocol 3.0, as far as the sandbox speaks it (PostgreSQL manual, "Message Formats").
 */

/** One message with its type byte and length, exactly as it travels. */
export type Message = { readonly type: string; readonly bytes: Buffer };

/** Length of the message that `bytes` begin with, or undefined while they are too few to tell. */
export function messageLength(bytes: Buffer, maxBytes: number): number | undefined {
  if (bytes.length < 5) return undefined;
  const length = bytes.readUInt32BE(1) + 1;
  if (length < 5 || length > maxBytes) throw new Error('invalid message length');
  return length;
}

export function asMessage(bytes: Buffer): Message {
  return { type: bytes.toString('latin1', 0, 1), bytes };
}

/** The messages of an answer of PostgreSQL's. */
export function splitMessages(bytes: Buffer): Message[] {
  const messages: Message[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const length = messageLength(rest, Number.MAX_SAFE_INTEGER) ?? rest.length;
    messages.push(asMessage(rest.subarray(0, length)));
    rest = rest.subarray(length);
  }
  return messages;
}

/** A message with a body of zero-terminated strings and numbers of 32 bits. */
export function message(type: string, ...parts: readonly (string | number | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map(encodePart));
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function encodePart(part: string | number | Buffer): Buffer {
  if (typeof part === 'string') return Buffer.from(`${part}\0`);
  if (typeof part !== 'number') return part;
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(part);
  return bytes;
}

/** An ErrorResponse. `severity` FATAL ends the connection. */
export function errorResponse(severity: 'ERROR' | 'FATAL', code: string, text: string): Buffer {
  return message('E', `S${severity}`, `V${severity}`, `C${code}`, `M${text}`, Buffer.of(0));
}

/** ReadyForQuery. `status` is I (idle), T (in a transaction) or E (in a failed one). */
export function readyForQuery(status: string): Buffer {
  return message('Z', Buffer.from(status, 'latin1'));
}

/** The zero-terminated strings at the start of a message's body, as many as `count`. */
export function leadingStrings(bytes: Buffer, count: number): string[] {
  const strings: string[] = [];
  let offset = 5;
  while (strings.length < count) {
    const end = bytes.indexOf(0, offset);
    if (end === -1) throw new Error('a string without an end');
    strings.push(bytes.toString('latin1', offset, end));
    offset = end + 1;
  }
  return strings;
}
