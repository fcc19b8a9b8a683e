import { brokenLine, type Line } from './read-lines.ts';

/** What a record's line says, as far as the chain and the order of records need it. */
export type RecordLine = {
  readonly line: Line;
  readonly sequence: number;
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Hex. */
  readonly previousHash: string | null;
  /** Hex. */
  readonly hash: string;
};

const HASH_MEMBER = /^,"hash":"([0-9a-f]{64})"\}$/;
const HASH_MEMBER_LENGTH = 75;
const SEQUENCE = /^[1-9][0-9]{0,15}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const PREVIOUS = /^(?:null|"([0-9a-f]{64})")$/;

/**
 * Reads a record's line without parsing all of it, which takes several times as long. The members' names are looked for
 * from the end: behind the claims no object is nested, and in a text of JSON no quote stands without a backslash, so no
 * value can pass for a member. A line that was made to pass has another hash, which `verify` computes from all of it.
 *
 * @throws {Error} for a line of another form.
 */
export function recordIn(line: Line): RecordLine {
  const record = recordOrNull(line);
  if (record === null) throw brokenLine(line, 'it is not a record');
  return record;
}

/** Null for a line of another form. */
export function recordOrNull(line: Line): RecordLine | null {
  const { text } = line;
  const [, hash] = HASH_MEMBER.exec(text.slice(-HASH_MEMBER_LENGTH)) ?? [];
  const timeAt = text.lastIndexOf(',"time":"');
  const sequenceAt = text.lastIndexOf(',"sequence":', timeAt);
  const previousAt = text.lastIndexOf(',"previous_hash":', sequenceAt);
  const idAt = text.lastIndexOf(',"id":"', previousAt);
  const time = Date.parse(valueAt(text, timeAt + ',"time":'.length).slice(1, -1));
  const sequence = valueAt(text, sequenceAt + ',"sequence":'.length);
  const [isOne, previousHash = null] = PREVIOUS.exec(valueAt(text, previousAt + ',"previous_hash":'.length)) ?? [];
  const id = valueAt(text, idAt + ',"id":'.length).slice(1, -1);
  const all = idAt !== -1 && isOne !== undefined && SEQUENCE.test(sequence) && UUID.test(id) && !Number.isNaN(time);
  if (hash === undefined || !all) return null;
  return { line, sequence: Number(sequence), id, time, previousHash, hash };
}

/** RFC 8785 of the record without `hash`, which `publishedLine` put at the end. */
export function canonicalIn({ line }: RecordLine): string {
  return `${line.text.slice(0, -HASH_MEMBER_LENGTH)}}`;
}

/** Only of members whose values have no comma. */
function valueAt(text: string, at: number): string {
  return text.slice(at, text.indexOf(',', at));
}
