import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ConfigPath, type Finding, formatPath } from './config-problem.ts';
import type { Parts } from './parts.ts';

/** What the kubelet puts into every pod. It is not there where a pull request is checked, and need not be. */
const IN_EVERY_POD = '/var/run/secrets/kubernetes.io/serviceaccount/';

/** Checks that the files which are read at start exist. CA bundle files are checked with their SHA-256, by their reader. */
export function checkFiles(parts: Parts, folder: string): Finding[] {
  const { issuers, auditStore, limitStore, caBundles, tls } = parts;
  const files = (issuers ?? []).flatMap((issuer, index) => filesOfIssuer(issuer, ['issuers', index]));
  if (auditStore?.type === 'postgres') {
    files.push([['audit', 'store', 'passwordFile'], auditStore.passwordFile]);
    files.push([['audit', 'store', 'caFile'], auditStore.caFile]);
  }
  if (limitStore?.type === 'redis') {
    files.push([['limits', 'store', 'passwordFile'], limitStore.passwordFile]);
    files.push([['limits', 'store', 'caFile'], limitStore.caFile]);
  }
  files.push([['caBundles', 'caFile'], caBundles?.caFile]);
  for (const key of ['certFile', 'keyFile', 'clientCaFile'] as const) files.push([['server', 'tls', key], tls?.[key]]);
  return files.flatMap(([path, file]) => (typeof file === 'string' ? checkFile(path, resolve(folder, file)) : []));
}

type NamedFile = [ConfigPath, string | null | undefined];

function filesOfIssuer(issuer: NonNullable<Parts['issuers']>[number], path: ConfigPath): NamedFile[] {
  const { jwks, caFile, bearerTokenFile, kubernetes } = issuer;
  const { tokenFile, caFile: clusterCaFile, apiServer } = kubernetes?.tokenReview === true ? kubernetes : {};
  const files: NamedFile[] = [
    [[...path, 'jwks', 'file'], jwks != null && 'file' in jwks ? jwks.file : undefined],
    [[...path, 'caFile'], caFile],
    [[...path, 'bearerTokenFile'], bearerTokenFile],
    [[...path, 'kubernetes', 'tokenFile'], tokenFile],
    [[...path, 'kubernetes', 'caFile'], apiServer?.startsWith('http:') === true ? undefined : clusterCaFile],
  ];
  return files.filter(([, file]) => file?.startsWith(IN_EVERY_POD) !== true);
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
