import type { z } from 'zod';
import { problemSchema } from './schemas.ts';

const DESCRIPTIONS: Readonly<Record<number, string>> = {
  400: 'The request is malformed, has two Authorization headers, or leaves several choices.',
  401: 'No token, or a token with any defect.',
  403: 'Unknown database, unknown user, not granted, or no auditor.',
  404: 'There is nothing of this name or id.',
  413: 'The body is over 16 KiB.',
  415: 'The body is neither JSON nor a form.',
  422: 'A token does not fit the program or the format, and why.',
  429: 'Too many requests of this caller or for this database.',
  503: 'The service cannot do its part now; see Retry-After.',
};

/** The OpenAPI responses of the failure statuses a route can give. */
export function problemResponses(...statuses: readonly number[]) {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: DESCRIPTIONS[status] ?? '', content: { 'application/problem+json': { schema: problemSchema } } },
    ]),
  );
}

/** The OpenAPI response of a success in JSON. */
export function jsonResponse(description: string, schema: z.ZodType) {
  return { description, content: { 'application/json': { schema } } };
}
