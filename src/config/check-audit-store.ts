import { isIP } from 'node:net';
import type { Finding } from './config-problem.ts';
import type { Parts } from './parts.ts';

/** Without TLS, records and the password would cross the network as they are. */
export function checkAuditStore({ auditStore }: Parts): Finding[] {
  if (auditStore?.type !== 'postgres' || auditStore.tls) return [];
  const { host } = auditStore;
  const isLocal =
    host.startsWith('/') || host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  if (isLocal) return [];
  const message = `audit.store.tls is false, and ${host} is another machine.`;
  return [
    { path: ['audit', 'store', 'tls'], message, mend: 'Remove it, and set caFile where the CA is a private one.' },
  ];
}
