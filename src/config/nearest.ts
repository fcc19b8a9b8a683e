/**
 * The sentence that helps after a name nobody knows: the known name within two edits of it, or the list of known names.
 * `where` completes "There is none" when the list is empty.
 */
export function suggest(unknown: string, known: readonly string[], where: string): string {
  const near = nearest(unknown, known);
  if (near !== undefined) return `Did you mean ${near}?`;
  return known.length === 0 ? `There is none ${where}.` : `Write one of: ${known.slice(0, 20).join(', ')}.`;
}

/** The name nearest to `wanted`, at most two edits away and fewer than it has characters. */
export function nearest(wanted: string, known: readonly string[]): string | undefined {
  const most = Math.min(2, wanted.length - 1);
  let best: string | undefined;
  let fewest = most + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - wanted.length) > most) continue;
    const edits = editDistance(wanted.toLowerCase(), candidate.toLowerCase());
    if (edits < fewest) [best, fewest] = [candidate, edits];
  }
  return best;
}

/** Levenshtein's distance: insertions, deletions and replacements of one UTF-16 unit. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let line = 1; line <= from.length; line++) {
    const next = [line];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (from[line - 1] === to[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
