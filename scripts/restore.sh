#!/usr/bin/env bash
# Restores a backup of backup.sh, and starts everything:
#   restore.sh FILE
# It verifies the file, restores next to the existing data, and swaps at the end. It refuses if orders or keys exist,
# unless OVERWRITE=yes. Everything is started again, even after a failure. If it is interrupted, even by kill -9, each
# store has either its complete old state or the complete restored one, and the command can be run again.
set -euo pipefail

cd "$(dirname "$0")/.."
fail() {
  echo "$*" >&2
  exit 1
}
[[ -r ${1:-} ]] || fail "Which backup? make restore FILE=backups/order-api-….tar"

work=$(mktemp -d)
compose() { scripts/compose.sh "$@"; }
psql() {
  compose exec -T order-api-db psql --username=order_api --no-psqlrc --quiet --tuples-only --no-align \
    --set=ON_ERROR_STOP=1 "$@"
}
in_redis() { compose exec -T order-api-redis "$@"; }
keys() {
  # shellcheck disable=SC2016 # the container's shell reads it
  in_redis sh -c 'REDISCLI_AUTH=$(cat /run/secrets/REDIS_PASSWORD) redis-cli --user order-api --no-auth-warning dbsize' |
    grep -x '[0-9]*'
}
orders() { # 0 if the table does not exist yet
  local table
  table=$(psql --dbname=order_api --command "SELECT coalesce(to_regclass('orders')::text, '')") || return 1
  if [[ -n $table ]]; then psql --dbname=order_api --command 'SELECT count(*) FROM orders'; else echo 0; fi
}

start_everything() {
  local status=$?
  trap - EXIT
  rm -rf "$work"
  scripts/up.sh || status=1
  exit "$status"
}

tar --extract --file="$1" --directory="$work" postgres.dump redis.tar 2>/dev/null || {
  rm -rf "$work"
  fail "$1 is not a backup: postgres.dump and redis.tar are not in it."
}
scripts/verify-backup.sh "$work" || {
  rm -rf "$work"
  fail "$1 is damaged; nothing was changed."
}
trap start_everything EXIT
compose up --detach --wait order-api-db order-api-redis
there=$(orders) || fail "The orders in PostgreSQL cannot be counted; nothing was changed."
kept=$(keys) || fail "The keys in Redis cannot be counted; nothing was changed."
if [[ ${OVERWRITE:-no} != yes ]] && ((there > 0 || kept > 0)); then
  fail "There are $there orders and $kept keys already. To lose them: OVERWRITE=yes make restore FILE=$1"
fi

# Next to the existing data. The dump assigns tables to roles, so these come first.
compose run --rm --no-deps order-api-roles
psql --dbname=postgres --command 'DROP DATABASE IF EXISTS order_api_restored WITH (FORCE)' \
  --command 'CREATE DATABASE order_api_restored'
compose exec -T order-api-db pg_restore --username=order_api --dbname=order_api_restored --exit-on-error \
  --single-transaction <"$work/postgres.dump"
in_redis sh -c 'rm -rf /data/restored && mkdir /data/restored && tar --extract --directory=/data/restored' \
  <"$work/redis.tar"

# From here on the restored state is the one that starts.
compose stop order-api-nginx order-api-app
in_redis sh -c 'sync && touch /data/restored/READY && sync' # redis/start.sh swaps
psql --dbname=postgres --command 'DROP DATABASE IF EXISTS order_api_replaced WITH (FORCE)'
psql --dbname=postgres --command \
  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'order_api'" >/dev/null
psql --dbname=postgres --single-transaction --command 'ALTER DATABASE order_api RENAME TO order_api_replaced' \
  --command 'ALTER DATABASE order_api_restored RENAME TO order_api'
compose restart order-api-redis
psql --dbname=postgres --command 'DROP DATABASE order_api_replaced WITH (FORCE)'
