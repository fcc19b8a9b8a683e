/** SQLite's primary result codes (sqlite.org/rescode.html); the extended ones carry them in the low byte. */
const BUSY = 5;
const LOCKED = 6;
const FULL = 13;
/** SQLITE_CONSTRAINT_PRIMARYKEY, an extended code. */
const PRIMARY_KEY_TAKEN = 1555;

/** A lock or a full disk leaves the connection sound; after anything else it is opened and proved again. */
export function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  return code !== null && [BUSY, LOCKED, FULL].includes(code & 0xff);
}

/** SQLITE_READONLY and SQLITE_CANTOPEN: there is no room for the files of WAL. */
export function isReadOnlyPlace(error: unknown): boolean {
  const code = codeOf(error);
  return code !== null && [8, 14].includes(code & 0xff);
}

export function isPrimaryKeyTaken(error: unknown): boolean {
  return codeOf(error) === PRIMARY_KEY_TAKEN;
}

function codeOf(error: unknown): number | null {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) : null;
}
