/** The origin of an instance's checkpoints, and the name of its key (C2SP tlog-checkpoint). */
export function logOrigin(instance: string): string {
  return `rds-token-vendor/${instance}`;
}

/** The instance of an origin, or null when it is none of ours. */
export function instanceOf(origin: string): string | null {
  return origin.startsWith('rds-token-vendor/') ? origin.slice('rds-token-vendor/'.length) : null;
}
