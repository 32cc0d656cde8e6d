#!/usr/bin/env bash
# Prints a directory for a Unix socket that OWNER alone can enter: socket-dir.sh FILE [OWNER]
# It is under /tmp because the path of a socket is limited to 107 bytes, and FILE remembers it,
# so that the address stays the same from one start to the next.
set -euo pipefail

file=$1 owner=${2:-$(id -un)}

dir=
[[ ! -r $file ]] || read -r dir <"$file" || true
if [[ $dir == /tmp/order-api.* ]] && mkdir -m 700 "$dir" 2>/dev/null; then
  chown "$owner" "$dir" # /tmp was emptied: made again under its old name
elif [[ -z $dir || -L $dir || $(stat -c '%U %a' "$dir" 2>/dev/null) != "$owner 700" ]]; then
  dir=$(mktemp -d /tmp/order-api.XXXXXX)
  chown "$owner" "$dir"
  echo "$dir" >"$file"
fi
echo "$dir"
