import { dirname } from 'node:path';

/** `export` lines for `. demo/.state/env`. */
export function environmentFile(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`)
    .join('');
}

/** What is printed once the sandbox is up. Each line works as it stands after the first. */
export function linesToPaste(environmentPath: string): string {
  const folder = dirname(environmentPath);
  return `
The sandbox is up. In another terminal:

  . ${environmentPath}
  TOKEN=$(curl -sf -d database=orders -d user=app_rw -H "Authorization: Bearer $JWT_APP" -H 'Accept: text/plain' $VENDOR_URL/v1/tokens)
  PGPASSWORD=$TOKEN psql "sslmode=verify-full user=$PG_USER" -c 'select current_user'

The same token is refused for another user, and with one character changed:

  PGPASSWORD=$TOKEN psql "sslmode=verify-full user=app_ro" -c 'select 1'
  PGPASSWORD=\${TOKEN}x psql "sslmode=verify-full user=app_rw" -c 'select 1'

With everything psql needs for its environment, so that the session carries the audit id:

  eval "$(curl -sf -d database=orders -d user=app_rw -d format=env -H "Authorization: Bearer $JWT_APP" $VENDOR_URL/v1/tokens)"
  psql -c 'select current_user, current_setting($$application_name$$)'

A program with a recipe of docs/clients.md, and files for one that can only read a file:

  echo 'select current_user' | bash examples/clients/bash/postgres.sh
  npm -s start -- agent --once --database orders --user app_rw --write 'pgpass=${folder}/pgpass' --ca-file '${folder}/vended.pem'

Everything in one answer; who you are; what is granted; what a stranger gets:

  curl -s -d user=app_ro -H "Authorization: Bearer $JWT_APP" $VENDOR_URL/v1/tokens
  curl -s -H "Authorization: Bearer $JWT_DBA" $VENDOR_URL/v1/whoami
  curl -s -H "Authorization: Bearer $JWT_DBA" $VENDOR_URL/v1/databases
  curl -s -d user=app_rw -H "Authorization: Bearer $JWT_STRANGER" $VENDOR_URL/v1/tokens

The JWTs live an hour; a fresh one, and a new signing key:

  JWT_APP=$(curl -s "$ISSUER_URL/demo/token?caller=app")
  curl -s -X POST $ISSUER_URL/demo/rotate

What an auditor reads of that; ready or not, and why; the reference page is at $VENDOR_URL/docs:

  curl -s -H "Authorization: Bearer $JWT_AUDITOR" "$VENDOR_URL/v1/audit/events?user=dba_admin&format=csv"
  curl -s $ADMIN_URL/readyz

Ctrl-C ends it and leaves nothing behind.`;
}
