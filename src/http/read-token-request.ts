import type { JsonValue } from '../issuance/caller.ts';
import { accept, type Decided, type FieldProblem, refuse } from '../issuance/refusal.ts';
import { parseStrictJson } from '../issuance/strict-json.ts';
import { fieldProblems, refuseFields } from './field-problems.ts';
import { formPairs } from './form-pairs.ts';
import { type WantedToken, tokenRequestSchema } from './schemas.ts';

/** A request's body as it came. */
export type RawBody = { readonly contentType: string | undefined; readonly bytes: Buffer; readonly query: string };

const MEDIA_TYPE = /^application\/(json|x-www-form-urlencoded)(?:[ \t]*;[ \t]*charset="?utf-8"?)?$/i;

/**
 * Reads the body of `POST /v1/tokens` strictly, in the handler's own path: odd content types have led around Fastify's
 * body schemas before. No body at all asks for the caller's only choice.
 */
export function readTokenRequest({ contentType, bytes, query }: RawBody): Decided<WantedToken> {
  if (query !== '')
    return malformed('the query string is not read', [{ field: '', message: 'send the fields in the body' }]);
  if (bytes.length === 0) return accept({});
  const kind = MEDIA_TYPE.exec(contentType?.trim() ?? '')?.[1]?.toLowerCase();
  if (kind === undefined) {
    return refuse({ reason: 'media_type_unsupported', detail: 'the content type is neither JSON nor a form' });
  }
  let fields: JsonValue;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    fields = kind === 'json' ? parseStrictJson(text) : parseForm(text);
  } catch (error) {
    const why = error instanceof SyntaxError || error instanceof RepeatedField ? error.message : 'not UTF-8';
    return malformed(`the body is ${why}`, [{ field: '', message: why }]);
  }
  const parsed = tokenRequestSchema.safeParse(fields);
  if (parsed.success) return accept(parsed.data);
  return refuseFields(fieldProblems(parsed.error));
}

class RepeatedField extends Error {}

function parseForm(text: string): JsonValue {
  const fields = formPairs(text);
  if (new Set(fields.map(([name]) => name)).size !== fields.length)
    throw new RepeatedField('a form with a field twice');
  // A form has texts only.
  return Object.fromEntries(
    fields.map(([name, value]) => [name, name === 'min_remaining' && /^\d{1,6}$/.test(value) ? Number(value) : value]),
  );
}

function malformed(detail: string, problems: readonly FieldProblem[]): Decided<never> {
  return refuse({ reason: 'request_malformed', detail, problems });
}
