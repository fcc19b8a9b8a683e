import { randomUUIDv7 } from 'node:crypto';

/**
 * A UUIDv7 (RFC 9562) whose time is exactly `time`, in milliseconds since the epoch: records sort by id as by time, and
 * a range of times is a range of ids.
 */
export function newAuditId(time: number): string {
  const prefix = hexTime(time);
  return `${prefix.slice(0, 8)}-${prefix.slice(8)}${randomUUIDv7().slice(13)}`;
}

/** Sorts before every id of `time` and later, and after every earlier one. */
export function firstAuditIdAt(time: number): string {
  const prefix = hexTime(time);
  return `${prefix.slice(0, 8)}-${prefix.slice(8)}-0000-0000-000000000000`;
}

function hexTime(time: number): string {
  return time.toString(16).padStart(12, '0');
}
