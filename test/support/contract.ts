import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

const OPENAPI = JSON.parse(readFileSync(new URL('../../openapi/openapi.json', import.meta.url), 'utf8'));
const RECORD = JSON.parse(readFileSync(new URL('../../openapi/audit-record.schema.json', import.meta.url), 'utf8'));
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ $id: 'https://x/openapi', ...OPENAPI });
const fitsRecord = ajv.compile(RECORD);

/** Asserts that an answer is one that the committed OpenAPI document describes; gives its text. */
export async function assertDescribed(response: Response, method: string, template: string): Promise<string> {
  const described = OPENAPI.paths[template][method].responses[response.status];
  assert.ok(described, `${method} ${template} ${response.status}`);
  const type = response.headers.get('content-type')?.split(';')[0] ?? '';
  assert.ok(described.content[type], `${template} ${response.status} ${type}`);
  const text = await response.text();
  const body: unknown = type.endsWith('/json') || type.endsWith('+json') ? JSON.parse(text) : text;
  const pointer = ['paths', template, method, 'responses', String(response.status), 'content', type, 'schema'];
  const ref = pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
  const validate = ajv.compile({ $ref: `https://x/openapi#/${ref}` });
  assert.ok(validate(body), JSON.stringify(validate.errors));
  return text;
}

/** Asserts that one line is one record of the published schema. */
export function assertRecord(line: string): void {
  assert.ok(fitsRecord(JSON.parse(line)), JSON.stringify(fitsRecord.errors));
}
