/**
 * What a terminal must not be given of texts that strangers chose: control characters move its cursor and colours, and
 * invisible ones (CVE-2021-42574: bidirectional controls; fillers and selectors) show another text than is there.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** A text for people: what a terminal must not be given becomes `\u{…}`. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** A document as one line of JSON with the same value: what a terminal must not be given is escaped as JSON does. */
export function printableJson(document: object): string {
  // Outside of texts, compact JSON has no such character.
  return JSON.stringify(document).replaceAll(UNPRINTABLE, (character) =>
    Array.from({ length: character.length }, (_, at) => escaped(character.charCodeAt(at))).join(''),
  );
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
