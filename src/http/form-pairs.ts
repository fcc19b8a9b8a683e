/**
 * The pairs of `application/x-www-form-urlencoded` text, as in a query string or a form, in their order. Unlike
 * URLSearchParams, which replaces what it cannot decode, it throws.
 *
 * @throws {SyntaxError} for a percent sign that encodes nothing, or bytes that are not UTF-8. It quotes no input.
 */
export function formPairs(text: string): [name: string, value: string][] {
  return text
    .split('&')
    .filter((pair) => pair !== '')
    .map(decodePair);
}

function decodePair(pair: string): [string, string] {
  const equals = pair.indexOf('=');
  const [name, value] = equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
  try {
    return [decodeURIComponent(name.replaceAll('+', ' ')), decodeURIComponent(value.replaceAll('+', ' '))];
  } catch {
    throw new SyntaxError('not a valid form');
  }
}
