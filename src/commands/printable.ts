/**
 * What a terminal must not be given of texts that strangers chose: control characters move its cursor and colours, and
 * invisible ones (CVE-2021-42574: bidirectional controls; fillers and selectors) show another text than is there. They
 * become `\u{…}`.
 */
export function printable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
