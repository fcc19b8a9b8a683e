import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

/** A query of the documentation, as it stands there: the block that begins with ```sql and its name. */
export function documentedQuery(page: string, name: string): string {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
  return new RegExp(`\`\`\`sql ${name}\\n([^\`]+)\`\`\``).exec(text)?.[1] ?? assert.fail(name);
}
