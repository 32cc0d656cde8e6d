#!/usr/bin/env bash
# Runs a command against a stack of its own, marked for tests and thrown away afterwards:
#   stack.sh INSTANCES COMMAND...     stack.sh 3 make race
# PostgreSQL as it runs for users, Redis, that many `order-api serve` and Nginx, all in var/stack on free
# ports. The command finds HOST, BASE_URL and API_TOKEN in its environment.
set -euo pipefail
shopt -s nullglob

cd "$(dirname "$0")/.."
binary=$PWD/${CARGO_TARGET_DIR:-target}/release/order-api
[[ ${CARGO_TARGET_DIR:-} != /* ]] || binary=$CARGO_TARGET_DIR/release/order-api
instances=$1
shift

# Leaves nothing but the logs; also of a run that was killed.
clear_away() {
  local directory
  scripts/nginx.sh stop var/stack/nginx
  for directory in var/stack/order-api-*/; do scripts/serve.sh stop "$directory"; done
  scripts/redis.sh discard var/stack/redis
  scripts/postgres.sh discard var/stack/postgres
}

stop_all() {
  local status=$?
  trap '' INT TERM HUP PIPE
  set +e
  clear_away
  exit "$status"
}

free_port() { # below those that the kernel hands out
  local port
  until scripts/nginx.sh check "127.0.0.1:$((port = 20000 + RANDOM % 10000))" 2>/dev/null; do :; done
  echo "$port"
}

main() {
  scripts/packages.sh
  cargo build --release --locked
  clear_away
  rm -rf var/stack/order-api-*/
  trap stop_all EXIT
  trap 'exit 130' INT TERM HUP PIPE

  local upstreams=() number listen
  DATABASE_URL=$(scripts/postgres.sh start var/stack/postgres)
  REDIS_URL=$(scripts/redis.sh start var/stack/redis)
  API_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
  export DATABASE_URL REDIS_URL API_TOKEN ENVIRONMENT=test DISTANCE_PROVIDER=haversine
  unset GMAP_TOKEN
  "$binary" migrate >var/stack/migrate.log 2>&1 || {
    cat var/stack/migrate.log >&2
    exit 1
  }
  for ((number = 1; number <= instances; number++)); do
    upstreams+=("$(scripts/serve.sh start "var/stack/order-api-$number" "$binary")")
  done
  listen=127.0.0.1:$(free_port)
  scripts/nginx.sh start var/stack/nginx "$listen" "${upstreams[@]}"
  HOST=http://$listen BASE_URL=http://$listen "$@"
}

mkdir -p var/stack
exec 9>>var/stack/lock
flock --nonblock 9 || {
  echo "Waiting for the stack that runs here already." >&2
  flock 9
}
main "$@" 9>&- # the shell keeps the lock to itself: nothing it starts may inherit it
