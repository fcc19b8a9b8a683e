import type { Finding } from './config-problem.ts';
import { isOwnMachine } from './own-machine.ts';
import type { Parts } from './parts.ts';

/** Without TLS, the password would cross the network as it is, and whoever stands between could set every count. */
export function checkLimitStore({ limitStore }: Parts): Finding[] {
  if (limitStore?.type !== 'redis' || limitStore.tls || isOwnMachine(limitStore.host)) return [];
  const message = `limits.store.tls is false, and ${limitStore.host} is another machine.`;
  return [
    { path: ['limits', 'store', 'tls'], message, mend: 'Remove it, and set caFile where the CA is a private one.' },
  ];
}
