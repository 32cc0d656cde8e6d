#!/usr/bin/env bash
# Prints a port of 127.0.0.1 that nothing listens on, below those that the kernel hands out.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
until "$here/nginx.sh" check "127.0.0.1:$((port = 20000 + RANDOM % 10000))" 2>/dev/null; do :; done
echo "$port"
