#!/usr/bin/env bash
# free-port.sh                      prints a port of 127.0.0.1 that nothing listens on
# free-port.sh HOST:PORT [SETTING]  fails with a sentence when that port, which SETTING chooses, is in use
set -euo pipefail

free() { ! (: >"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null; }

if (($#)); then
  free "$1" || {
    echo "Port ${1##*:} is in use. Take another one: ${2:-PORT}=$((${1##*:} + 1)) make run" >&2
    exit 1
  }
else
  until free "127.0.0.1:$((port = 20000 + RANDOM % 10000))"; do :; done # below those that the kernel hands out
  echo "$port"
fi
