import { auditRecordJsonSchema } from './audit-record-schema.ts';
import { configJsonSchema } from './config-schema.ts';
import { configurationPage } from './configuration-page.ts';
import { openApiJson } from './openapi.ts';
import { recipesPage } from './recipes-page.ts';

/** A file that is committed, but made from the sources. `path` starts at the repository's root. */
export type GeneratedFile = { readonly path: string; readonly content: () => string | Promise<string> };

const EXAMPLE = new URL('../openapi/examples/config.yaml', import.meta.url);

export const generatedFiles: readonly GeneratedFile[] = [
  { path: 'openapi/config.schema.json', content: () => `${JSON.stringify(configJsonSchema(), null, 2)}\n` },
  { path: 'openapi/audit-record.schema.json', content: () => `${JSON.stringify(auditRecordJsonSchema(), null, 2)}\n` },
  { path: 'docs/configuration.md', content: () => configurationPage(EXAMPLE) },
  { path: 'openapi/openapi.json', content: openApiJson },
  { path: 'docs/clients.md', content: recipesPage },
];

/** The paths of generated files whose content on disk is not what the sources make. */
export async function staleFiles(
  files: readonly GeneratedFile[],
  read: (path: string) => Promise<string | undefined>,
): Promise<string[]> {
  const checked = files.map(async ({ path, content }) => ((await read(path)) === (await content()) ? [] : [path]));
  return (await Promise.all(checked)).flat();
}
