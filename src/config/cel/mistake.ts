/** An expression that is not accepted. Its message completes the sentence that begins with the key. */
export class ConditionMistake extends Error {
  /** What to do about it. */
  readonly mend: string;

  /** @param at where in the expression, from 0; undefined for the whole of it. */
  constructor(expression: string, at: number | undefined, says: string, mend: string) {
    super(at === undefined ? `${says}.` : `${says} (${placeOf(expression, at)}).`);
    this.mend = mend;
  }
}

function placeOf(expression: string, at: number): string {
  const before = expression.slice(0, at).split('\n');
  const column = Array.from(before.at(-1) ?? '').length + 1;
  return expression.trimEnd().includes('\n') ? `line ${before.length}, column ${column}` : `column ${column}`;
}
