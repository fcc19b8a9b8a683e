/**
 * Compiles a subject glob. `*` stands for any run of characters, none included, that holds no `:` and no `/`, so that
 * `system:serviceaccount:payments:*` cannot reach into another namespace. Everything else is literal; the whole subject
 * must match. Both sides are cut at their separators first, and each part is matched greedily: no backtracking, and no
 * regular expression that a hostile subject could make slow.
 */
export function compileSubjectGlob(glob: string): (subject: string) => boolean {
  const separators = glob.match(SEPARATOR) ?? [];
  const parts = glob.split(SEPARATOR).map((part) => part.split('*'));
  return (subject) => {
    const found = subject.match(SEPARATOR) ?? [];
    if (found.length !== separators.length || found.some((separator, at) => separator !== separators[at])) return false;
    return subject.split(SEPARATOR).every((part, at) => matchesPart(parts[at] ?? [], part));
  };
}

const SEPARATOR = /[:/]/g;

/** `pieces` are the literals between the stars of one part. */
function matchesPart(pieces: readonly string[], part: string): boolean {
  const first = pieces[0] ?? '';
  if (pieces.length === 1) return part === first;
  const last = pieces.at(-1) ?? '';
  if (part.length < first.length + last.length || !part.startsWith(first) || !part.endsWith(last)) return false;
  const end = part.length - last.length;
  let position = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const at = part.indexOf(piece, position);
    if (at === -1 || at + piece.length > end) return false;
    position = at + piece.length;
  }
  return true;
}
