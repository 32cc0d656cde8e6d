#!/usr/bin/env bash
# A private Redis in DIR, reached through a Unix socket alone:
#   redis.sh start DIR [--flag value ...]   makes it if need be, prints its URL
#   redis.sh stop DIR
#   redis.sh kill DIR                       like a crash: SIGKILL
#   redis.sh discard DIR                    stops it and deletes DIR
set -euo pipefail
trap '' INT # Ctrl-C is the caller's to act upon: nothing here is left half done

here=$(cd "$(dirname "$0")" && pwd)
command=$1 dir=$(realpath -m "$2")
shift 2

socket() { echo "$(cat "$dir/socket-dir" 2>/dev/null || echo none)/redis.sock"; }
alive() { "$here/process.sh" alive "$dir/pid" "$(socket)"; }
end() { "$here/process.sh" end "$dir/pid" "$(socket)" "$1" 30; }
answers() { [[ $(timeout 2 redis-cli -s "$socket" ping 2>&1) == PONG ]]; }

start() {
  mkdir -p "$dir"
  socket=$("$here/socket-dir.sh" "$dir/socket-dir")/redis.sock
  if alive && ! answers; then end KILL; fi
  if ! alive; then
    # With a port Redis would call itself by that, and `alive` looks for the socket.
    setsid redis-server --port 0 --unixsocket "$socket" --unixsocketperm 700 --dir "$dir" \
      --proc-title-template '{title} {unixsocket}' \
      --appendonly yes --appendfsync always --save '' "$@" </dev/null >>"$dir/log" 2>&1 &
    echo $! >"$dir/pid"
    until answers; do # loading a large file takes its time
      kill -0 $! 2>/dev/null || {
        echo "Redis did not start:" >&2
        tail -n 20 "$dir/log" >&2
        exit 1
      }
      sleep 0.02
    done
  fi
  echo "redis+unix://$socket"
}

case $command in
  start) start "$@" ;;
  stop) end TERM ;;
  kill) end KILL ;;
  discard)
    end KILL
    sockets=$(cat "$dir/socket-dir" 2>/dev/null || true)
    [[ $sockets != /tmp/order-api.* ]] || rm -rf "$sockets"
    rm -rf "$dir"
    ;;
esac
