#!/usr/bin/env bash
# Fails, and says why, unless DIR has a complete postgres.dump and redis.tar:
#   verify-backup.sh DIR
set -euo pipefail

directory=$1
cd "$(dirname "$0")/.."

fail() {
  echo "$*" >&2
  exit 1
}

# pg_restore of the server's own version reads the table of contents, which has no checksum.
scripts/compose.sh run --rm --no-deps -T --entrypoint pg_restore order-api-db --list <"$directory/postgres.dump" \
  >"$directory/contents" 2>/dev/null || fail "postgres.dump is not a dump of PostgreSQL."
grep -q 'TABLE DATA public orders' "$directory/contents" || fail "postgres.dump has no table of orders."

# Every file that the manifest names ("file NAME seq NUMBER type b|i|h") must be present.
files=$(tar --list --file="$directory/redis.tar" 2>/dev/null) || fail "redis.tar is not an archive, or is truncated."
manifest=appendonlydir/appendonly.aof.manifest
named=$(tar --extract --to-stdout --file="$directory/redis.tar" "$manifest" 2>/dev/null) ||
  fail "redis.tar has no manifest."
[[ -n $named ]] || fail "The manifest in redis.tar is empty."
while read -r _ name _; do
  grep -qxF "appendonlydir/$name" <<<"$files" || fail "redis.tar lacks $name, which its manifest names."
done <<<"$named"
