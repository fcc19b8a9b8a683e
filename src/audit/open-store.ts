import { type AuditStore, storePlace } from './audit-store.ts';
import type { Store, StoreReader } from './store.ts';

/** The configured store, for the instance that writes. Nothing is opened yet. Only the kind in use is loaded. */
export async function createStore(store: AuditStore, instance: string): Promise<Store> {
  switch (store.type) {
    case 'sqlite':
      return (await import('./sqlite/sqlite-store.ts')).createSqliteStore(store, instance);
    case 'postgres':
      return (await import('./postgres/postgres-store.ts')).createPostgresStore(store, instance);
    case 'file':
      return (await import('./file/file-store.ts')).createFileStore(store, instance);
  }
}

/** The configured store, for whoever reads it. Rejects with an `Error` that says what is wrong with it. */
export async function openReader(store: AuditStore): Promise<StoreReader> {
  switch (store.type) {
    case 'sqlite':
      return (await import('./sqlite/sqlite-reader.ts')).openSqliteReader(store);
    case 'postgres':
      return naming(storePlace(store), (await import('./postgres/postgres-reader.ts')).openPostgresReader(store));
    case 'file':
      return (await import('./file/file-reader.ts')).openFileReader(store);
  }
}

/** What a server says does not tell which one it is. */
async function naming(place: string, opening: Promise<StoreReader>): Promise<StoreReader> {
  try {
    return await opening;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the audit store ${place} cannot be read: ${why}`, { cause: error });
  }
}
