import { z } from 'zod';
import { configSchema } from '../src/config.ts';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** The JSON Schema (2020-12) of what an operator writes, before defaults and units are read. */
export function configJsonSchema(): JsonSchema {
  return z.toJSONSchema(configSchema, { target: 'draft-2020-12', io: 'input' });
}
