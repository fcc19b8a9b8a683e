import { type Document, isAlias, isMap, isNode, isScalar, isSeq } from 'yaml';
import type { ConfigPath } from './config-problem.ts';

/**
 * The offset in the text of what a path names: its value, or its key when asked for or when nothing is written as its
 * value. Of a path that does not exist, the innermost holder that does, by its key.
 */
export function offsetOf(document: Document.Parsed, path: ConfigPath, atKey: boolean): number {
  const follow = (node: unknown) => (isAlias(node) ? node.resolve(document) : node);
  let holder: unknown = follow(document.contents);
  let offset = startOf(holder) ?? 0;
  for (const [depth, step] of path.entries()) {
    const found = child(holder, step);
    if (found === undefined) return offset;
    const start = startOf(found.value);
    const isLast = depth === path.length - 1;
    offset = (isLast && !atKey && !isBlank(found.value) ? start : startOf(found.key)) ?? start ?? offset;
    holder = follow(found.value);
  }
  return offset;
}

function child(holder: unknown, step: string | number): { key: unknown; value: unknown } | undefined {
  if (isMap(holder)) return holder.items.findLast(({ key }) => isScalar(key) && String(key.value) === String(step));
  if (!isSeq(holder) || typeof step !== 'number' || step >= holder.items.length) return undefined;
  return { key: undefined, value: holder.items[step] };
}

/** Nothing stands after the colon. */
function isBlank(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null && (node.source ?? '') === '');
}

export function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
