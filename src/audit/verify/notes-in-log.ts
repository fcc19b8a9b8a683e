/** A signed note and the line it ends at, counted from 1; null when the line held one that cannot be read. */
export type FoundNote = { readonly note: string | null; readonly line: number };

/** Lines of a checkpoint's text: origin, size, root, time. */
const TEXT_LINES = 4;

/**
 * Finds signed checkpoints in a log: the `checkpoint` member of JSON lines, whatever a log shipper put before or around
 * them, and signed notes as they are. Everything else is passed over.
 */
export async function* notesIn(lines: AsyncIterable<string>): AsyncGenerator<FoundNote> {
  let text: string[] = [];
  let signable = '';
  let line = 0;
  for await (const content of lines) {
    line += 1;
    if (content.startsWith('\u2014 ') && signable !== '') {
      yield { note: `${signable}\n\n${content}\n`, line };
    } else if (content.trim() === '') {
      signable = text.slice(-TEXT_LINES).join('\n');
      text = [];
    } else {
      signable = '';
      text = [...text.slice(1 - TEXT_LINES), content];
      if (content.includes('checkpoint')) yield* notesInLine(content, line);
    }
  }
}

function* notesInLine(content: string, line: number): Generator<FoundNote> {
  const start = content.indexOf('{');
  if (start === -1) return;
  try {
    const note = noteIn(JSON.parse(content.slice(start)));
    if (note !== null) yield { note, line };
  } catch {
    if (/\\?"checkpoint\\?":/.test(content)) yield { note: null, line };
  }
}

/** Container runtimes wrap each line in JSON of their own, with the line in `log`. */
function noteIn(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return null;
  if ('checkpoint' in value && typeof value.checkpoint === 'string') return value.checkpoint;
  if (!('log' in value) || typeof value.log !== 'string' || !value.log.includes('"checkpoint"')) return null;
  return noteIn(JSON.parse(value.log));
}
