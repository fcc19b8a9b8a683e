import { constraintError, StsError, validationError } from './sts-error.ts';

export type Tags = ReadonlyMap<string, string>;

const MOST_TAGS = 50;
const LONGEST_KEY = 128;
const LONGEST_VALUE = 256;
const CHARACTERS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const MEMBER = /^Tags\.member\.([1-9]\d*)\.(Key|Value)$/;

/**
 * Reads `Tags.member.1.Key`, `Tags.member.1.Value` and so on. Gives the tags and the names of the form's other
 * parameters. Source: STS API Reference, AssumeRole, "Tags", and Tag.
 */
export function readTags(form: ReadonlyMap<string, string>): {
  readonly tags: Tags;
  readonly rest: readonly string[];
} {
  const members = new Map<number, Partial<Record<string, string>>>();
  const rest: string[] = [];
  for (const [name, value] of form) {
    const [, index, part] = MEMBER.exec(name) ?? [];
    if (index !== undefined && part !== undefined) {
      members.set(Number(index), { ...members.get(Number(index)), [part]: value });
    }
    // An empty list is `Tags=`.
    else if (name !== 'Tags' || value !== '') rest.push(name);
  }
  if (members.size > MOST_TAGS) {
    throw constraintError('[…]', 'tags', `Member must have length less than or equal to ${MOST_TAGS}`);
  }
  const tags = new Map<string, string>();
  const seen = new Set<string>();
  for (const [index, { Key, Value }] of members) {
    const key = check(Key, `tags.${index}.member.key`, 1, LONGEST_KEY);
    const value = check(Value, `tags.${index}.member.value`, 0, LONGEST_VALUE);
    if (key.toLowerCase().startsWith('aws:')) throw validationError(`The tag key ${key} begins with the reserved aws:`);
    if (seen.has(key.toLowerCase())) {
      const message = 'Duplicate tag keys found. Please note that Tag keys are case insensitive.';
      throw new StsError(400, 'InvalidParameterValue', message);
    }
    seen.add(key.toLowerCase());
    tags.set(key, value);
  }
  return { tags, rest };
}

const TRANSITIVE = /^TransitiveTagKeys\.member\.[1-9]\d*$/;

/** Reads `TransitiveTagKeys.member.1` and so on: which of the tags go on to the next role. */
export function readTransitiveTags(form: ReadonlyMap<string, string>, tags: Tags) {
  const names = [...form.keys()].filter((name) => TRANSITIVE.test(name));
  const keys = new Set(names.map((name) => form.get(name)?.toLowerCase()));
  return { names, transitiveTags: new Map([...tags].filter(([key]) => keys.has(key.toLowerCase()))) };
}

/** The characters that tags take of the room for them and the policy. */
export function lengthOf(tags: Tags): number {
  return [...tags].flat().join('').length;
}

function check(text: string | undefined, member: string, min: number, max: number): string {
  if (text === undefined) throw constraintError('null', member, 'Member must not be null');
  if (text.length < min) throw constraintError(text, member, `Member must have length greater than or equal to ${min}`);
  if (text.length > max) throw constraintError(text, member, `Member must have length less than or equal to ${max}`);
  if (!CHARACTERS.test(text)) {
    const expression = CHARACTERS.source.slice(1, -1);
    throw constraintError(text, member, `Member must satisfy regular expression pattern: ${expression}`);
  }
  return text;
}
