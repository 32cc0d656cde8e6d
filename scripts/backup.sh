#!/usr/bin/env bash
# Saves the data of PostgreSQL and Redis of the running containers in one file, and prints its name:
#   backup.sh [FILE]     backups/order-api-<UTC time>.tar, readable only by its owner
# Each part is a consistent state of its store; that of Redis is the later one. The file gets its name only after both
# parts have been verified.
set -euo pipefail
umask 077

cd "$(dirname "$0")/.."
file=$(realpath -m "${1:-backups/order-api-$(date -u +%Y%m%dT%H%M%SZ).tar}")
mkdir -p "$(dirname "$file")"
work=$(mktemp -d "$file.XXXXXX")
trap 'rm -rf "$work"' EXIT

fail() {
  echo "No backup was made: $*" >&2
  exit 1
}
compose() { scripts/compose.sh "$@"; }
in_redis() { compose exec -T order-api-redis "$@"; }
manifest() { in_redis cat /data/appendonlydir/appendonly.aof.manifest; }

compose exec -T order-api-db pg_isready --quiet --username=order_api || fail "PostgreSQL does not answer (make ps)."
in_redis sh /etc/order-api/health.sh >/dev/null || fail "Redis does not answer (make ps)."

compose exec -T order-api-db pg_dump --username=order_api --format=custom order_api >"$work/postgres.dump" ||
  fail "pg_dump failed."

# The files of the manifest are append-only. If a rewrite replaced them meanwhile, copy again.
until
  before=$(manifest) || fail "Redis has no append-only file."
  in_redis tar --create --warning=no-file-changed --directory=/data appendonlydir >"$work/redis.tar" ||
    (($? == 1)) || fail "the append-only file cannot be read." # 1: a file grew meanwhile
  after=$(manifest) || fail "Redis stopped answering."
  [[ $after == "$before" ]]
do :; done

scripts/verify-backup.sh "$work" || fail "the saved data is incomplete."
tar --create --file="$work/all" --directory="$work" postgres.dump redis.tar
sync "$work/all"
mv "$work/all" "$file"
echo "$file"
