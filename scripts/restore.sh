#!/usr/bin/env bash
# Brings back what backup.sh has saved, and starts everything:
#   restore.sh FILE
# Refuses where there are orders or keys already, unless OVERWRITE=yes.
set -euo pipefail

cd "$(dirname "$0")/.."
[[ -r ${1:-} ]] || {
  echo "Which backup? make restore FILE=backups/order-api-….tar" >&2
  exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar --extract --file="$1" --directory="$work" postgres.dump redis.tar

compose() { scripts/compose.sh "$@"; }
psql() { compose exec -T order-api-db psql --username=order_api --no-psqlrc --quiet --tuples-only --no-align "$@"; }
rows() { psql --command "SELECT count(*) FROM orders" order_api 2>/dev/null || echo 0; }
redis_files() { compose run --rm --no-deps -T --entrypoint "$1" order-api-redis "${@:2}"; }
redis_bytes() { redis_files sh -c 'cat /data/appendonlydir/*.aof 2>/dev/null | wc -c'; }

compose stop order-api-nginx order-api-app order-api-redis
compose up --detach --wait order-api-db
if [[ ${OVERWRITE:-no} != yes ]] && { (($(rows) > 0)) || (($(redis_bytes) > 200)); }; then
  echo "There are orders or keys already. To lose them: OVERWRITE=yes make restore FILE=$1" >&2
  exit 1
fi
psql --command 'DROP DATABASE IF EXISTS order_api WITH (FORCE)' --command 'CREATE DATABASE order_api' postgres
compose exec -T order-api-db pg_restore --username=order_api --dbname=order_api --exit-on-error --single-transaction \
  <"$work/postgres.dump"
redis_files sh -c 'rm -rf /data/appendonlydir && tar --extract --directory=/data' <"$work/redis.tar"
scripts/up.sh
