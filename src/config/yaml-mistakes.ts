import { type Document, isAlias, isCollection, isScalar, type Node, visit, type YAMLMap } from 'yaml';
import { startOf } from './yaml-places.ts';

/** A mistake at an offset of the text. */
export type YamlMistake = {
  readonly offset: number;
  readonly message: string;
  readonly mend: string;
  /** No plain data can be made of the document. */
  readonly fatal: boolean;
};

/** What is valid YAML, but what a reader of the file and the program could understand differently. */
export function findYamlMistakes(document: Document.Parsed): YamlMistake[] {
  const mistakes: YamlMistake[] = [];
  const version = document.directives?.yaml;
  if (version?.explicit === true && version.version !== '1.2') {
    const mend = 'Remove the %YAML line: the file is read as YAML 1.2.';
    mistakes.push({ offset: 0, message: 'The file declares another version of YAML.', mend, fatal: true });
  }
  visit(document, {
    Node: (_, node) => {
      if (isAlias(node) || node.tag === undefined || CORE_TAGS.test(node.tag)) return;
      const message = `The tag ${node.tag.replace('tag:yaml.org,2002:', '!!')} is not accepted.`;
      mistakes.push({ offset: startOf(node) ?? 0, message, mend: 'Remove the tag.', fatal: true });
    },
    Alias: (_, alias, path) => {
      const mistake = aliasMistake(alias.resolve(document), path);
      if (mistake !== undefined) mistakes.push({ offset: startOf(alias) ?? 0, fatal: true, ...mistake });
    },
    Map: (_, map) => {
      mistakes.push(...keyMistakes(map));
    },
  });
  return mistakes;
}

const CORE_TAGS = /^tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq)$/;

function aliasMistake(target: Node | undefined, path: readonly unknown[]) {
  if (target === undefined) {
    return { message: 'This alias names no anchor before it.', mend: 'Put a text that begins with * in quotes.' };
  }
  if (path.includes(target)) return { message: 'This alias contains itself.', mend: 'Write the value itself.' };
  return undefined;
}

function keyMistakes(map: YAMLMap): YamlMistake[] {
  const mistakes: YamlMistake[] = [];
  const seen = new Set<string>();
  for (const { key } of map.items) {
    const offset = startOf(key) ?? startOf(map) ?? 0;
    const name = isScalar(key) ? String(key.value) : undefined;
    if (name === undefined || isCollection(key)) {
      mistakes.push({
        offset,
        message: 'A key here is not plain text.',
        mend: 'Write a word as the key.',
        fatal: true,
      });
    } else if (name === '__proto__') {
      mistakes.push({
        offset,
        message: 'The key __proto__ is not accepted.',
        mend: 'Write another name.',
        fatal: false,
      });
    } else if (name === '<<') {
      const mend = 'Write the keys out: YAML 1.2 has no merge keys.';
      mistakes.push({ offset, message: 'The merge key << is not accepted.', mend, fatal: true });
    } else if (seen.has(name)) {
      const message = `The key ${JSON.stringify(name)} is written twice in the same map.`;
      mistakes.push({ offset, message, mend: 'Keep one of them.', fatal: false });
    }
    if (name !== undefined) seen.add(name);
  }
  return mistakes;
}
