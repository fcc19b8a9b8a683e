import type { ConfigPath } from './config-problem.ts';
import { readFastYaml } from './fast-yaml.ts';

type Place = { readonly key: number; readonly value: number };

/**
 * Reads a text that `readFastYaml` has read once more, now for its places, and gives the offset of what a path names, as
 * `offsetOf` does: its value, or its key when asked for or when nothing is written as its value. Of a path that does not
 * exist, the innermost holder that does, by its key.
 */
export function findPlaces(text: string): (path: ConfigPath, atKey: boolean) => number {
  const places = new Map<unknown, Map<string | number, Place>>();
  const read = readFastYaml(text, (holder, step, key, value) => {
    const known = places.get(holder);
    if (known) known.set(step, { key, value });
    else places.set(holder, new Map([[step, { key, value }]]));
  });
  if (read === undefined) throw new Error('a text that was read before is not read again');
  return (path, atKey) => {
    let { value: holder, offset }: { value: unknown; offset: number } = read;
    for (const [depth, written] of path.entries()) {
      const step = Array.isArray(holder) ? written : String(written);
      const place = places.get(holder)?.get(step);
      if (place === undefined) return offset;
      offset = depth === path.length - 1 && !atKey ? place.value : place.key;
      holder = typeof holder === 'object' && holder !== null ? Reflect.get(holder, step) : undefined;
    }
    return offset;
  };
}

/** Lines and columns of offsets, both from 1, columns in UTF-16 units. */
export function createLineCounter(
  text: string,
): (offset: number) => { readonly line: number; readonly column: number } {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}
