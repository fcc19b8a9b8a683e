import { statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { AuditStore } from '../audit/audit-store.ts';
import { instancesIn } from '../audit/file/record-files.ts';

/**
 * Nobody may write to a `file` store as root where the service is another user: folders are made with mode 0700, and the
 * service, which reads all of them for a page, would then show none. SQLite gives its files the database's owner itself.
 *
 * @throws {Error} for operators, before anything is written.
 */
export function requireStoreUser(store: AuditStore): void {
  if (store.type !== 'file' || userId() !== 0) return;
  const { directory } = store;
  // The directory may be a volume's, which is root's: the folders in it are what the service made.
  const folders = instancesIn(directory).map((name) => join(directory, name));
  const owners = (folders.length > 0 ? folders : [directory]).map((path) => statSync(path).uid);
  const owner = owners.find((uid) => uid !== 0);
  if (owner === undefined) return;
  throw new Error(
    `the store ${directory} belongs to the user ${owner}, who could not read what root writes there: ` +
      `run this as the user of the service (sudo -u '#${owner}' …)`,
  );
}

/** A container's user often has a number and no entry to look up. */
function userId(): number | undefined {
  try {
    return userInfo().uid;
  } catch {
    return statSync('/proc/self', { throwIfNoEntry: false })?.uid;
  }
}
