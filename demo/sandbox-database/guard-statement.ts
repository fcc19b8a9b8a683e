import { type Message, leadingStrings, message } from './messages.ts';

/**
 * SET SESSION AUTHORIZATION, and every other spelling of it that is not built by code, holds this word as it is: keywords and setting
 * names have no escapes but those of `U&"…"`. Statements that merely mention the word are refused too, which a sandbox
 * can afford; telling them apart would take PostgreSQL's own parser. The text is compared byte by byte.
 * COPY FROM STDIN is refused because PGlite does not survive the client's data over this interface.
 */
const FORBIDDEN = /authorization|U&["']|\bcopy\b[^]*\bstdin\b/i;

const REFUSAL = 'SELECT public.refuse_in_sandbox()';

/**
 * The message to pass on instead of a client's: the same one, or a statement that fails, so that PostgreSQL itself keeps
 * the state of the transaction and of the protocol.
 */
export function guardStatement({ type, bytes }: Message): Buffer {
  if (type === 'Q') {
    return FORBIDDEN.test(bytes.toString('latin1', 5)) ? message('Q', REFUSAL) : bytes;
  }
  if (type === 'P') {
    const [name = ''] = leadingStrings(bytes, 1);
    return FORBIDDEN.test(bytes.toString('latin1', 5)) ? message('P', name, REFUSAL, Buffer.of(0, 0)) : bytes;
  }
  return bytes;
}
