import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ConfigPath, type Finding, formatPath } from './config-problem.ts';
import type { Parts } from './parts.ts';

/** Checks that the files which are read at start exist. CA bundle files are checked with their SHA-256, by their reader. */
export function checkFiles({ issuers, auditStore, caBundles }: Parts, folder: string): Finding[] {
  const files: [ConfigPath, string | null | undefined][] = (issuers ?? []).flatMap(({ jwks, caFile }, index) => [
    [['issuers', index, 'jwks', 'file'], jwks != null && 'file' in jwks ? jwks.file : undefined],
    [['issuers', index, 'caFile'], caFile],
  ]);
  if (auditStore?.type === 'postgres') {
    files.push([['audit', 'store', 'passwordFile'], auditStore.passwordFile]);
    files.push([['audit', 'store', 'caFile'], auditStore.caFile]);
  }
  files.push([['caBundles', 'caFile'], caBundles?.caFile]);
  return files.flatMap(([path, file]) => (typeof file === 'string' ? checkFile(path, resolve(folder, file)) : []));
}

function checkFile(path: ConfigPath, file: string): Finding[] {
  const why = whyUnreadable(file);
  if (why === undefined) return [];
  const mend = "Correct the path (a relative one starts at the configuration's folder) or the file's permissions.";
  return [{ path, message: `${formatPath(path)}: the file ${file} ${why}.`, mend }];
}

/** Completes a sentence about a file that cannot be read; undefined when it can. */
export function whyUnreadable(file: string): string | undefined {
  try {
    if (!statSync(file).isFile()) return 'is not a regular file';
    accessSync(file, constants.R_OK);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'does not exist' : `cannot be read (${String(code ?? error)})`;
  }
}
