#!/usr/bin/env bash
# Saves what PostgreSQL and Redis of the running containers hold in one file, and prints its name:
#   backup.sh [FILE]     backups/order-api-<UTC time>.tar, readable by its owner alone
# Each of the two is a state that has been; that of Redis is the later one.
set -euo pipefail
umask 077

cd "$(dirname "$0")/.."
file=$(realpath -m "${1:-backups/order-api-$(date -u +%Y%m%dT%H%M%SZ).tar}")
mkdir -p "$(dirname "$file")"
work=$(mktemp -d "$file.XXXXXX")
trap 'rm -rf "$work"' EXIT

in_redis() { scripts/compose.sh exec -T order-api-redis "$@"; }
manifest() { in_redis cat /data/appendonlydir/appendonly.aof.manifest; }

scripts/compose.sh exec -T order-api-db pg_dump --username=order_api --format=custom order_api >"$work/postgres.dump"

# The files of the manifest only ever grow; when they were exchanged for others meanwhile, once more.
until
  before=$(manifest)
  in_redis tar --create --warning=no-file-changed --directory=/data appendonlydir >"$work/redis.tar" || (($? == 1))
  [[ $(manifest) == "$before" ]]
do :; done

tar --create --file="$work/all" --directory="$work" postgres.dump redis.tar
mv "$work/all" "$file"
echo "$file"
