import { z } from 'zod';
import { auditRecordSchema } from '../src/http/audit-schemas.ts';

/** The JSON Schema (2020-12) of an audit record as stores, exports and copies have it. A new version gets a new `$id`. */
export function auditRecordJsonSchema(): z.core.JSONSchema.BaseSchema {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(auditRecordSchema, { target: 'draft-2020-12', io: 'output' });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'urn:rds-token-vendor:audit-record:1',
    title: 'rds-token-vendor audit record',
    description: 'One decision of the service: issued, answered, refused or failed. Every member is always there.',
    ...schema,
  };
}
