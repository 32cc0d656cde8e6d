#!/usr/bin/env bash
# Restores a backup of backup.sh, and starts everything:
#   restore.sh FILE
# It verifies the file, restores next to the existing data, and swaps at the end. It refuses if orders or keys exist,
# unless OVERWRITE=yes. Everything is started again, even after a failure. If it is interrupted, even by kill -9, each
# store has either its complete old state or the complete restored one, and the command can be run again.
set -euo pipefail

cd "$(dirname "$0")/.."
[[ ${ALONE:-no} == yes ]] || exec scripts/alone.sh scripts/restore.sh "$@"
fail() {
  echo "$*" >&2
  exit 1
}
[[ -f ${1:-} && -r $1 ]] || fail "Which backup? make restore FILE=backups/order-api-….tar"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compose() { scripts/compose.sh "$@"; }
psql() {
  compose exec -T order-api-db psql --username=order_api --no-psqlrc --quiet --tuples-only --no-align \
    --set=ON_ERROR_STOP=1 "$@"
}
keys() {
  # shellcheck disable=SC2016 # the container's shell reads it
  compose exec -T order-api-redis sh -c \
    'REDISCLI_AUTH=$(cat /run/secrets/REDIS_PASSWORD) redis-cli --user order-api --no-auth-warning dbsize' |
    grep -x '[0-9]*'
}
orders() { # 0 if the table does not exist yet
  local table
  table=$(psql --dbname=order_api --command "SELECT coalesce(to_regclass('orders')::text, '')") || return 1
  if [[ -n $table ]]; then psql --dbname=order_api --command 'SELECT count(*) FROM orders'; else echo 0; fi
}
refuse_to_lose() {
  local there kept
  [[ ${OVERWRITE:-no} != yes ]] || return 0
  there=$(orders) || fail "PostgreSQL does not tell whether there are orders; nothing was changed."
  kept=$(keys) || fail "Redis does not tell whether there are keys; nothing was changed."
  ((there == 0 && kept == 0)) ||
    fail "There are $there orders and $kept keys already. To lose them: OVERWRITE=yes make restore FILE=$1"
}

start_everything() {
  local status=$?
  trap - EXIT
  rm -rf "$work"
  BUILD=no scripts/up.sh || status=1
  exit "$status"
}

parts=$(tar --list --file="$1" 2>/dev/null) || fail "$1 is damaged, or not a backup; nothing was changed."
[[ $'\n'$parts$'\n' == *$'\n'postgres.dump$'\n'redis.tar$'\n'* ]] ||
  fail "$1 is not a backup: postgres.dump and redis.tar are not in it."
tar --extract --file="$1" --directory="$work" || fail "$1 cannot be unpacked in $work; nothing was changed."
scripts/verify-backup.sh "$work" || fail "$1 is damaged; nothing was changed."
# Else they would keep everything down in the end: a wrong setting, and an image that cannot be built.
compose config --quiet
docker image inspect order-api >/dev/null 2>&1 || compose build
trap start_everything EXIT
trap 'exit 130' INT TERM HUP
compose up --detach --wait order-api-db
# One that has something to lose has to tell what; and one that cannot start may be why this is run.
[[ ${OVERWRITE:-no} == yes ]] || compose up --detach --wait order-api-redis
refuse_to_lose "$1"

# Next to the existing data. The dump assigns tables to roles, so these come first.
compose run --rm --no-deps order-api-roles
psql --dbname=postgres --command 'DROP DATABASE IF EXISTS order_api_restored WITH (FORCE)' \
  --command 'CREATE DATABASE order_api_restored'
compose exec -T order-api-db pg_restore --username=order_api --dbname=order_api_restored --exit-on-error \
  --single-transaction <"$work/postgres.dump"
name=${COMPOSE_PROJECT_NAME:-order-api}-restore
docker rm --force "$name" >/dev/null 2>&1 || true # of a run that was killed
compose run --rm --no-deps -T --name "$name" --entrypoint sh order-api-redis /etc/order-api/restore.sh \
  <"$work/redis.tar" || fail "Redis cannot load what is in $1; nothing was changed."

compose stop order-api-nginx order-api-app
refuse_to_lose "$1" # what came meanwhile
psql --dbname=postgres --command 'DROP DATABASE IF EXISTS order_api_replaced WITH (FORCE)'
psql --dbname=postgres --single-transaction \
  --command "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'order_api'" \
  --command 'ALTER DATABASE order_api RENAME TO order_api_replaced' \
  --command 'ALTER DATABASE order_api_restored RENAME TO order_api' >/dev/null
# Redis swaps at its start (redis/start.sh). It is told so only while it does not run: else what it is given until it is
# started again, for whatever reason, would be lost.
compose stop order-api-redis
compose run --rm --no-deps -T --entrypoint sh order-api-redis -c 'sync && touch /data/restored/READY && sync' </dev/null
compose up --detach --wait order-api-redis
psql --dbname=postgres --command 'DROP DATABASE order_api_replaced WITH (FORCE)'
