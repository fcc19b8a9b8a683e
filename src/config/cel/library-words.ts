import type { ParseError, TypeError as CheckError } from '@marcbachmann/cel-js';
import { ConditionMistake } from './mistake.ts';

type Words = { readonly says: (detail: string) => string; readonly mend: string };

const SEPARATORS: Words = {
  says: () => 'something is missing or left over',
  mend: 'Close every bracket and quote, and write && and || between comparisons, == for equal.',
};
const ESCAPE: Words = {
  says: (detail) => `a text holds an escape that is not CEL: ${detail}`,
  mend: "Write a backslash as \\\\, or put r before the text: r'a\\b'.",
};
const UNCLOSED: Words = { says: () => 'a text is not closed', mend: 'Close it with the quote that opens it.' };
const NO_OVERLOAD: Words = {
  says: (detail) => `there is no ${detail}`,
  mend: 'Compare values of one kind: texts are in quotes, numbers, true and false are not.',
};

/** What the library's parser and type checker find, in words for operators. Its own are for programmers. */
const WORDS: Readonly<Record<string, Words>> = {
  unexpected_character: SEPARATORS,
  unexpected_token: SEPARATORS,
  expected_token: SEPARATORS,
  unterminated_string: UNCLOSED,
  unterminated_triple_quoted_string: UNCLOSED,
  newline_in_string: UNCLOSED,
  invalid_escape_sequence: ESCAPE,
  invalid_unicode_escape: ESCAPE,
  invalid_unicode_surrogate: ESCAPE,
  invalid_hex_escape: ESCAPE,
  invalid_octal_escape: ESCAPE,
  octal_escape_out_of_range: ESCAPE,
  limit_exceeded: {
    says: () => 'it has too many parts, or brackets too deep',
    mend: 'Write several grants instead.',
  },
  reserved_identifier: {
    says: (detail) => `${detail.replace(/^.*: /, '')} is a reserved word`,
    mend: 'Write claims.NAME for a claim; namespace is a key of the grant, beside when.',
  },
  invalid_macro_argument: {
    says: () => 'the first argument here is not a name',
    mend: "Give each item a name: claims.groups.exists(g, g == 'dba').",
  },
  no_such_overload: NO_OVERLOAD,
  no_matching_overload: NO_OVERLOAD,
  invalid_logical_operand: {
    says: () => '&& and || take only what is true or false',
    mend: 'Compare the value with == first.',
  },
  invalid_condition_type: {
    says: () => 'what stands before ? is neither true nor false',
    mend: 'Compare the value with == first.',
  },
  incompatible_ternary_branches: {
    says: () => 'the two values around : are of two kinds',
    mend: 'Write values of one kind.',
  },
  heterogeneous_list_element: {
    says: () => 'a list has values of several kinds',
    mend: 'Write values of one kind: texts in quotes, or numbers.',
  },
  cannot_index_type: {
    says: () => 'this has no members',
    mend: 'Only claims have members: claims.NAME.',
  },
  invalid_index_type: {
    says: () => 'a list has no members by name',
    mend: 'Ask for an item by its position, or with exists.',
  },
  invalid_comprehension_range: {
    says: () => 'this is no list',
    mend: "Write a claim that is a list, as in claims.groups.exists(g, g == 'dba').",
  },
};

/** The library's finding as ours. */
export function inOurWords(expression: string, error: ParseError | CheckError): ConditionMistake {
  const { code, summary, range } = error;
  const detail = summary.replace(/^(?:no such overload: |found no matching overload for )/, '').replaceAll("'", '');
  const words = WORDS[code];
  if (words === undefined) {
    const mend = 'Write it as https://cel.dev describes; docs/policy.md says what is accepted.';
    return new ConditionMistake(expression, range?.start, `it is not accepted as CEL: ${detail}`, mend);
  }
  return new ConditionMistake(expression, range?.start, words.says(detail), words.mend);
}
