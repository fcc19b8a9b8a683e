import { LineCounter, parseDocument } from 'yaml';
import { type ConfigProblem, type Finding, formatPath } from './config-problem.ts';
import { findYamlMistakes } from './yaml-mistakes.ts';
import { offsetOf } from './yaml-places.ts';

/** A YAML text that was read, and where its parts are. */
export type YamlSource = {
  /** Plain data; undefined when none can be made of the text. */
  readonly value: unknown;
  /** Mistakes of YAML itself. */
  readonly problems: readonly ConfigProblem[];
  /** Gives a finding its place in the text. */
  readonly place: (finding: Finding) => ConfigProblem;
};

/** An alias repeats what it names, and a chain of them multiplies: ten levels of ten are a gigabyte. */
const MOST_ALIASES = 100;

/**
 * Reads one document of YAML 1.2 (core schema: `yes` is a text and `010` is ten).
 *
 * @param ifEmpty the mend of a text that holds nothing
 */
export function readYaml(file: string, text: string, ifEmpty: string): YamlSource {
  const lines = new LineCounter();
  // Repeated keys are looked for here: the parser's own check compares each key with each.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const at = (offset: number, path: string, message: string, mend: string): ConfigProblem => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col), path, message, mend };
  };
  const place = ({ path, message, mend, atKey }: Finding) =>
    at(offsetOf(document, path, atKey === true), formatPath(path), message, mend);

  // A single slip makes the parser stumble over the rest of its line.
  const broken = firstOfEachLine(
    document.errors.map(({ code, message, pos }) => at(pos[0], '', ...explain(code, message))),
  );
  if (broken.length > 0) return { value: undefined, problems: broken, place };
  const mistakes = findYamlMistakes(document);
  const problems = mistakes.map(({ offset, message, mend }) => at(offset, '', message, mend));
  if (mistakes.some(({ fatal }) => fatal)) return { value: undefined, problems, place };
  try {
    const value: unknown = document.toJS({ maxAliasCount: MOST_ALIASES });
    if (value !== null && value !== undefined) return { value, problems, place };
    return { value: undefined, problems: [at(0, '', 'The file is empty.', ifEmpty)], place };
  } catch (error) {
    // The parser's word for an alias bomb; unresolved aliases were found above.
    if (!(error instanceof ReferenceError)) throw error;
    const mend = 'Write the values out instead of repeating them with anchors (&name) and aliases (*name).';
    return {
      value: undefined,
      problems: [...problems, at(0, '', 'The aliases multiply without bounds.', mend)],
      place,
    };
  }
}

function explain(code: string, message: string): [message: string, mend: string] {
  if (code === 'MULTIPLE_DOCS') {
    return ['A second YAML document begins here.', 'Keep one document in the file: remove the --- line.'];
  }
  return [
    `This is not valid YAML: ${message}.`,
    MENDS[code] ?? 'Correct the syntax here; quote texts that hold : or #.',
  ];
}

const MENDS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'Indent with spaces.',
  BAD_INDENT: 'Indent the lines of one level alike, and close every bracket.',
  BLOCK_AS_IMPLICIT_KEY: "Put a text that holds ': ' in quotes, or indent the lines of one level alike.",
  BAD_SCALAR_START: 'Put the text in quotes.',
  BAD_ALIAS: 'Put a text that begins with * or & in quotes.',
  MISSING_CHAR: 'Add what is missing.',
};

function firstOfEachLine(problems: readonly ConfigProblem[]): ConfigProblem[] {
  const lines = new Set<number>();
  return problems.filter(({ line }) => !lines.has(line) && lines.add(line));
}
