import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, withChange } from './config-file.ts';

/** A change to the valid configuration, and every problem it makes. */
export type Mistake = readonly [what: string, from: string, to: string, ...problems: string[]];

export function testMistakes(mistakes: readonly Mistake[]): void {
  for (const [what, from, to, ...problems] of mistakes) {
    test(`${what} is refused where it stands, with the mend`, () => {
      assert.deepEqual(problemsOf(withChange(from, to)), problems);
    });
  }
}
