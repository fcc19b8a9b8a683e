import type { Finding } from './config-problem.ts';
import { isOwnMachine } from './own-machine.ts';
import type { Parts } from './parts.ts';

/** Without TLS, records and the password would cross the network as they are. */
export function checkAuditStore({ auditStore }: Parts): Finding[] {
  if (auditStore?.type !== 'postgres' || auditStore.tls) return [];
  const { host } = auditStore;
  if (isOwnMachine(host)) return [];
  const message = `audit.store.tls is false, and ${host} is another machine.`;
  return [
    { path: ['audit', 'store', 'tls'], message, mend: 'Remove it, and set caFile where the CA is a private one.' },
  ];
}
