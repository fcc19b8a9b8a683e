import { formatPath } from './config-problem.ts';
import { readFastYaml } from './fast-yaml.ts';
import { createLineCounter, findPlaces } from './fast-yaml-places.ts';
import { readYaml, type YamlSource } from './yaml-source.ts';

/**
 * Reads a YAML text: by the fast reader when it is of the simple kind, else, and for every mistake of YAML itself, by the
 * full parser. Both give the same value and the same places.
 *
 * @param ifEmpty the mend of a text that holds nothing
 */
export function readConfigYaml(file: string, text: string, ifEmpty: string): YamlSource {
  const fast = readFastYaml(text);
  if (fast === undefined) return readYaml(file, text, ifEmpty);
  let offsetOf: ReturnType<typeof findPlaces> | undefined;
  let placeOf: ReturnType<typeof createLineCounter> | undefined;
  return {
    value: fast.value,
    problems: [],
    place({ path, message, mend, atKey }) {
      offsetOf ??= findPlaces(text);
      placeOf ??= createLineCounter(text);
      return { file, ...placeOf(offsetOf(path, atKey === true)), path: formatPath(path), message, mend };
    },
  };
}
