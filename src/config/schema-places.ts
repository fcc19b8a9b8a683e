import { z } from 'zod';
import { configSchema } from '../config.ts';
import type { ConfigPath } from './config-problem.ts';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** The keys that a map at a path may have, in the order of the schema; of several forms, in that of its `type`. */
export function keysAt(path: ConfigPath, type?: unknown): string[] {
  const schemas = schemasAt(path);
  const typed = schemas.filter(({ properties }) => type !== undefined && constantOf(properties?.['type']) === type);
  const fitting = typed.length > 0 ? typed : schemas;
  return [...new Set(fitting.flatMap(({ properties }) => Object.keys(properties ?? {})))];
}

function constantOf(schema: unknown): unknown {
  return typeof schema === 'object' && schema !== null && 'const' in schema ? schema.const : undefined;
}

/** Whether a text would be right at a path, as far as its form goes. */
export function takesText(path: ConfigPath, text: string): boolean {
  return schemasAt(path).some((schema) => {
    const patterns = [schema, ...(schema.allOf ?? [])].flatMap(({ pattern }) =>
      pattern === undefined ? [] : [pattern],
    );
    return schema.type === 'string' && patterns.every((pattern) => new RegExp(pattern, 'u').test(text));
  });
}

/** What may stand at a path: one schema, or several where a value may be written in several ways. */
function schemasAt(path: ConfigPath): JsonSchema[] {
  let schemas: JsonSchema[] = [z.toJSONSchema(configSchema, { io: 'input' })];
  for (const step of path) schemas = schemas.flatMap(alternatives).flatMap((schema) => member(schema, step));
  return schemas.flatMap(alternatives);
}

function alternatives(schema: JsonSchema): JsonSchema[] {
  return schema.anyOf ?? schema.oneOf ?? [schema];
}

function member(schema: JsonSchema, step: string | number): JsonSchema[] {
  const inner = typeof step === 'number' ? schema.items : (schema.properties?.[step] ?? schema.additionalProperties);
  return typeof inner === 'object' && !Array.isArray(inner) ? [inner] : [];
}
