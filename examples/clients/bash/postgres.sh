#!/usr/bin/env bash
# PostgreSQL with psql and curl: each line of the input is a statement, run in a connection with a fresh token.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Shows the service's own words; of another's page, or of an answer that was cut off, nothing.
refused() {
  [ "$1" != 22 ] || case $2 in '{"type":"urn:rds-token-vendor:'*) printf '%s\n' "$2" >&2 ;; esac
  exit "$1"
}

# Prints `export PG…` lines; the answer's headers, which name the CA bundle, go to a file.
vend() {
  local jwt answer
  jwt=$(cat "$RTV_JWT_FILE") || return # read each time: it is rotated
  answer=$(curl -sS --fail-with-body --max-time 15 -D "$work/headers" \
    -H @<(printf 'Authorization: Bearer %s' "$jwt") \
    -d format=env --data-urlencode "database=$RTV_DATABASE" --data-urlencode "user=$RTV_USER" \
    "$RTV_URL/v1/tokens") || refused $? "$answer"
  printf '%s\n' "$answer"
}

ca_bundle() {
  local href
  href=$(sed -n 's/^rtv-ca-bundle: *//Ip' "$work/headers" | tr -d '\r')
  curl -sS --fail --max-time 15 -o "$work/ca.pem" "$RTV_URL$href"
}

while IFS= read -r statement; do
  exports=$(vend) # apart from eval, so that a refusal ends the script
  eval "$exports"
  [ -f "$work/ca.pem" ] || ca_bundle
  PGSSLROOTCERT=$work/ca.pem psql -XAtqc "$statement" < /dev/null
done
