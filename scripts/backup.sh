#!/usr/bin/env bash
# Saves what PostgreSQL and Redis of the running containers hold in one file, and prints its name:
#   backup.sh [FILE]     backups/order-api-<UTC time>.tar, readable by its owner alone
# Each of the two is a state that has been; that of Redis is the later one. A file is called a backup only after
# both parts were found to be whole.
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

# The files of the manifest only ever grow; when they were exchanged for others meanwhile, once more.
until
  before=$(manifest) || fail "Redis has no append-only file."
  in_redis tar --create --warning=no-file-changed --directory=/data appendonlydir >"$work/redis.tar" ||
    (($? == 1)) || fail "the append-only file cannot be read." # 1: it grew meanwhile
  after=$(manifest) || fail "Redis went away."
  [[ $after == "$before" ]]
do :; done

scripts/verify-backup.sh "$work" || fail "what was saved is not whole."
tar --create --file="$work/all" --directory="$work" postgres.dump redis.tar
sync "$work/all"
mv "$work/all" "$file"
echo "$file"
