/* What `pg` gives for a column. */

export function bytesOf(value: unknown): Buffer {
  if (!Buffer.isBuffer(value)) throw new Error('a column holds no bytes where it should');
  return value;
}

export function bytesOrNull(value: unknown): Buffer | null {
  return value === null ? null : bytesOf(value);
}

export function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
