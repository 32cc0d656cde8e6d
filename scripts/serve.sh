#!/usr/bin/env bash
# One `order-api serve` on a free port of 127.0.0.1, its log lines in DIR/log and, unless LOG_DIR says so, DIR/logs:
#   serve.sh start DIR BINARY   prints its host:port once it listens
#   serve.sh alive DIR
#   serve.sh stop DIR           lets requests under way finish first
set -euo pipefail
trap '' INT # Ctrl-C is the caller's to act upon: nothing here is left half done

here=$(cd "$(dirname "$0")" && pwd)
command=$1 dir=$(realpath -m "$2")

alive() { "$here/process.sh" alive "$dir/pid" "order-api serve"; }
end() { "$here/process.sh" end "$dir/pid" "order-api serve" "$1" "$2"; }
stop() { end TERM $((${SHUTDOWN_GRACE_SECONDS:-10} + 5)) || { end KILL 5 && return 1; }; }

start() {
  mkdir -p "$dir"
  stop
  [[ ! -e $dir/log ]] || mv "$dir/log" "$dir/log.old"
  : >"$dir/log" # looked into below, maybe before the service has opened it
  local program=$1
  if [[ ${1##*/} != order-api ]]; then # by that name it is known again
    program=$dir/order-api
    ln -sfn "$(realpath "$1")" "$program"
  fi
  LISTEN=127.0.0.1:0 LOG_DIR=${LOG_DIR:-$dir/logs} setsid "$program" serve </dev/null >"$dir/log" 2>&1 &
  echo $! >"$dir/pid"
  local tries
  for ((tries = 0; tries < 600; tries++)); do
    grep -o -m 1 'listening on http://127\.0\.0\.1:[0-9]*' "$dir/log" | cut -d / -f 3 && return
    kill -0 $! 2>/dev/null || break
    sleep 0.05
  done
  echo "The service did not start; the end of $dir/log:" >&2
  tail -n 20 "$dir/log" >&2
  stop
  exit 1
}

case $command in
  start) start "$3" ;;
  alive) alive ;;
  stop) stop ;;
esac
