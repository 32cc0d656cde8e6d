#!/usr/bin/env bash
# One `order-api serve` on a free port of 127.0.0.1, its log lines in DIR/log and, unless LOG_DIR says so, DIR/logs:
#   serve.sh start DIR BINARY   prints its host:port once it listens
#   serve.sh alive DIR
#   serve.sh stop DIR           lets requests under way finish first
# shellcheck source=scripts/process.sh
source "$(dirname "$0")/process.sh"

name="The service" word="order-api serve"

stop() { end TERM $((${SHUTDOWN_GRACE_SECONDS:-10} + 5)) || { end KILL 5 && return 1; }; }
listens() { grep -o -m 1 'listening on http://127\.0\.0\.1:[0-9]*' "$dir/log" | cut -d / -f 3; }

start() { # BINARY
  mkdir -p "$dir"
  stop
  [[ ! -e $dir/log ]] || mv "$dir/log" "$dir/log.old"
  : >"$dir/log" # looked into before the service has opened it, maybe
  ln -sfn "$(realpath "$1")" "$dir/order-api" # by that name it is known again
  LISTEN=127.0.0.1:0 LOG_DIR=${LOG_DIR:-$dir/logs} launch "$dir/order-api" serve
  until_ready listens
}

"$command" "$@"
