#!/usr/bin/env bash
# Runs a command that changes the stack of containers, unless another one is at work on the same stack:
#   alone.sh COMMAND...     alone.sh scripts/restore.sh backups/….tar
# What it starts in turn is part of it. However it ends, the next one may begin.
set -euo pipefail

cd "$(dirname "$0")/.."
mkdir -p var
lock=var/${COMPOSE_PROJECT_NAME:-order-api}.lock
[[ -e $lock ]] || (umask 0 && : >>"$lock") # whoever comes first: root and others take turns
exec 9<"$lock"
flock --nonblock 9 || {
  echo "$(cat "$lock") is at work on these containers; nothing was changed. Try again when it has ended." >&2
  exit 1
}
echo "$1 (process $$)" >"$lock"
ALONE=yes exec "$@"
