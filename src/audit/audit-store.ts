import type { Config } from '../config.ts';

/** Which store, as the configuration names it. */
export type AuditStore = Config['audit']['store'];

/** The store in words, without secrets. */
export function storePlace(store: AuditStore): string {
  switch (store.type) {
    case 'sqlite':
      return store.path;
    case 'file':
      return store.directory;
    case 'postgres':
      return `${store.user}@${store.host}:${store.port}/${store.database}`;
  }
}
