import { createHash } from 'node:crypto';
import { dirname, relative } from 'node:path';

type HashedFile = { readonly path: string; readonly sha256: string };

/**
 * The hash that names a configuration in audit records, hex. Of a single file it is the SHA-256 of its bytes. With included
 * files it is the SHA-256 of what `sha256sum` prints of all of them in the configuration's folder: the main file first, the
 * others in the order of the bytes of their paths, each as `<SHA-256>  <path relative to that folder>` and a line feed.
 *
 *     cd /etc/rtv && LC_ALL=C sha256sum config.yaml grants.d/*.yaml | sha256sum
 *
 * @param included in any order
 */
export function configHash(main: HashedFile, included: readonly HashedFile[]): string {
  if (included.length === 0) return main.sha256;
  const folder = dirname(main.path);
  const named = included
    .map(({ path, sha256 }) => ({ sha256, name: relative(folder, path) }))
    .sort((one, other) => Buffer.compare(Buffer.from(one.name), Buffer.from(other.name)));
  const lines = [{ sha256: main.sha256, name: relative(folder, main.path) }, ...named].map(lineOf);
  return createHash('sha256').update(lines.join('')).digest('hex');
}

/** A name that a line cannot hold is escaped, and the line begins with a backslash (GNU Coreutils manual, "md5sum"). */
function lineOf({ sha256, name }: { readonly sha256: string; readonly name: string }): string {
  const escaped = name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return `${escaped === name ? '' : '\\'}${sha256}  ${escaped}\n`;
}
