import type { z } from 'zod';
import { type Decided, type FieldProblem, refuse } from '../issuance/refusal.ts';

/** How many names of unknown fields an answer repeats, and how much of each: they are anything the sender likes. */
const MAX_NAMES = 10;
const MAX_NAME_LENGTH = 64;

/** What zod found wrong, field by field. */
export function fieldProblems(error: z.ZodError): FieldProblem[] {
  return error.issues.flatMap((issue): FieldProblem[] =>
    issue.code === 'unrecognized_keys'
      ? namedProblems(issue.keys, 'is not a field of this request')
      : [{ field: issue.path.join('.'), message: issue.message }],
  );
}

/** One message about each of some fields whose names the sender chose. */
export function namedProblems(names: readonly string[], message: string): FieldProblem[] {
  return names.slice(0, MAX_NAMES).map((name) => ({ field: name.slice(0, MAX_NAME_LENGTH), message }));
}

/** Refuses a request for its fields. */
export function refuseFields(problems: readonly FieldProblem[]): Decided<never> {
  const detail = `fields are wrong: ${problems.map(({ field }) => JSON.stringify(field)).join(', ')}`;
  return refuse({ reason: 'request_malformed', detail, problems });
}
