#!/usr/bin/env bash
# Copies the running server, including roles and passwords, into a data directory of this image's version, `upgrade`
# next to the server's own. scripts/upgrade-postgres.sh runs it in a container:
#   upgrade.sh FROM     the running server's major version
set -euo pipefail

all=/var/lib/postgresql
new=$all/upgrade
rm -rf "$new"

# Space for the copy and for temporary files.
size=$(psql --host=/var/run/postgresql --username=order_api --no-psqlrc --tuples-only --no-align --dbname=postgres \
  --command 'SELECT (sum(pg_database_size(oid)) / 1024)::bigint FROM pg_database')
free=$(df --output=avail -k "$all" | tail -n 1)
((free > 2 * size + 1024 * 1024)) || {
  echo "The volume has ${free// /} KiB free, and the databases $size KiB: twice that and 1 GiB are needed." >&2
  exit 1
}

initdb --pgdata="$new" --username=order_api --encoding=UTF8 --locale=C.UTF-8 --auth-local=trust \
  --auth-host=scram-sha-256 --set=listen_addresses='*' >/dev/null
cp "$all/$1/docker/pg_hba.conf" "$new/"
# An interrupted copy starts over, so nothing is synced before the end.
pg_ctl --pgdata="$new" --log=/tmp/upgrade.log --silent --wait --timeout=120 \
  --options="-c listen_addresses='' -c unix_socket_directories=/tmp -c fsync=off" start || {
  cat /tmp/upgrade.log >&2
  exit 1
}
# The superuser exists already.
pg_dumpall --host=/var/run/postgresql --username=order_api |
  sed '0,/^-- Databases/ { /^CREATE ROLE order_api;$/d }' |
  psql --host=/tmp --username=order_api --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname=postgres >/dev/null
vacuumdb --host=/tmp --username=order_api --all --analyze --quiet
pg_ctl --pgdata="$new" --silent --wait --timeout=600 --mode=smart stop
initdb --sync-only --pgdata="$new" >/dev/null
