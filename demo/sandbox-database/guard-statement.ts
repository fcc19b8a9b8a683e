import { leadingStrings, type Message, message } from './messages.ts';

/**
 * SET SESSION AUTHORIZATION, in every spelling that no code builds, holds this word as it is: keywords and names of
 * settings have no escapes but those of `U&"…"`. Statements that merely mention the word are refused too, which a
 * sandbox can afford; telling them apart would take PostgreSQL's own parser. The text is compared byte by byte.
 */
const FORBIDDEN = /authorization|U&["']/i;

const REFUSAL = 'SELECT public.refuse_in_sandbox()';

/**
 * PGlite waits for the data of COPY FROM STDIN in a way that ends it, so each statement is followed by the message that
 * makes a COPY fail. PostgreSQL ignores it after any other statement ("Message Flow", COPY operations).
 */
const END_OF_COPY = message('f', 'the sandbox takes no COPY FROM STDIN');

/**
 * What to pass on instead of a client's message: the same one, or a statement that fails, so that PostgreSQL itself
 * keeps the state of the transaction and of the protocol.
 */
export function guardStatement({ type, bytes }: Message): Buffer {
  const forbidden = (type === 'Q' || type === 'P') && FORBIDDEN.test(bytes.toString('latin1', 5));
  if (type === 'Q') return Buffer.concat([forbidden ? message('Q', REFUSAL) : bytes, END_OF_COPY]);
  if (type === 'E') return Buffer.concat([bytes, END_OF_COPY]);
  return forbidden ? message('P', ...leadingStrings(bytes, 1), REFUSAL, Buffer.of(0, 0)) : bytes;
}
