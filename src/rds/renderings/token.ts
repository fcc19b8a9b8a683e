/** The token alone, without a line end: `PGPASSWORD=$(curl …)` and `curl -o file` both give exactly the token. */
export function renderToken(token: string): string {
  return token;
}
