import type { Config } from '../config.ts';

/** Which store, as the configuration names it. */
export type AuditStore = Config['audit']['store'];
