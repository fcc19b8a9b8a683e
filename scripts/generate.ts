import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { generatedFiles, staleFiles } from './generated-files.ts';

/*
 * npm run generate          writes the generated files
 * npm run generate:check    fails when one of them is not current
 */

const root = new URL('../', import.meta.url);

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(new URL(path, root), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

const stale = await staleFiles(generatedFiles, read);
if (process.argv.includes('--check')) {
  for (const path of stale) console.error(`${path} is not what the sources generate.`);
  if (stale.length > 0) {
    console.error('Run: npm run generate, then commit the result.');
    process.exitCode = 1;
  }
} else {
  for (const { path, content } of generatedFiles.filter((file) => stale.includes(file.path))) {
    const file = new URL(path, root);
    await mkdir(new URL('.', file), { recursive: true });
    await writeFile(file, await content());
    console.log(`wrote ${path}`);
  }
}
