/** Percent-encodes all but RFC 3986's unreserved characters, so that no shell or URI parser finds a delimiter. */
export function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}
