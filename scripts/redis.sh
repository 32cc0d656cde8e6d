#!/usr/bin/env bash
# A private Redis in DIR, reached through a Unix socket alone:
#   redis.sh start DIR [--flag value ...]   makes it if need be, prints its URL
#   redis.sh stop|crash|discard DIR
# shellcheck source=scripts/process.sh
source "$(dirname "$0")/process.sh"

name=Redis word=$(cat "$dir/socket-dir" 2>/dev/null || echo none)/redis.sock

answers() { [[ $(timeout 2 redis-cli -s "$word" ping 2>&1) == PONG ]]; }

start() {
  mkdir -p "$dir"
  make_socket_dir "$(id -un)"
  word=$sockets/redis.sock
  # With a port Redis would call itself by that in its command line.
  start_unless_it_answers redis-server --port 0 --unixsocket "$word" --unixsocketperm 700 --dir "$dir" \
    --proc-title-template '{title} {unixsocket}' --appendonly yes --appendfsync always --save '' "$@"
  echo "redis+unix://$word"
}

"$command" "$@"
