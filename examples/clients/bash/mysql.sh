#!/usr/bin/env bash
# MySQL and MariaDB with the mariadb client and curl: each line of the input is a statement, run in a connection with a
# fresh token. With Oracle's client write `mysql --ssl-ca=…`; the option file suits either, by the database's engine.
set -euo pipefail
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Shows the service's own words; of another's page, or of an answer that was cut off, nothing.
refused() {
  [ "$1" != 22 ] || grep -s '^{"type":"urn:rds-token-vendor:' "$work/my.cnf" >&2 || :
  exit "$1"
}

# Writes an option file; the answer's headers, which name the CA bundle, go to another.
vend() {
  local jwt
  jwt=$(cat "$RTV_JWT_FILE") # read each time: it is rotated
  curl -sS --fail-with-body --max-time 15 -D "$work/headers" -o "$work/my.cnf" \
    -H @<(printf 'Authorization: Bearer %s' "$jwt") \
    -d format=my_cnf --data-urlencode "database=$RTV_DATABASE" --data-urlencode "user=$RTV_USER" \
    "$RTV_URL/v1/tokens" || refused $?
}

ca_bundle() {
  local href
  href=$(sed -n 's/^rtv-ca-bundle: *//Ip' "$work/headers" | tr -d '\r')
  curl -sS --fail --max-time 15 -o "$work/ca.pem" "$RTV_URL$href"
}

while IFS= read -r statement; do
  vend
  [ -f "$work/ca.pem" ] || ca_bundle
  mariadb --defaults-extra-file="$work/my.cnf" --ssl-ca="$work/ca.pem" -N -B -e "$statement" < /dev/null
done
