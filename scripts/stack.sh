#!/usr/bin/env bash
# Runs a command against a stack of its own, marked for tests and thrown away afterwards:
#   stack.sh INSTANCES COMMAND...     stack.sh 3 make race
# PostgreSQL as it runs for users, Redis, that many `order-api serve` and Nginx, all in STACK_DIR (var/stack) on free
# ports, of this tree's release build or of BINARY. The command finds HOST, BASE_URL and API_TOKEN in its environment,
# DATABASE_URL and REDIS_URL, and in UPSTREAMS the services behind Nginx.
set -euo pipefail
shopt -s nullglob

cd "$(dirname "$0")/.."
export STACK_DIR=${STACK_DIR:-var/stack}
instances=$1
shift

# Leaves nothing but the logs; also of a run that was killed.
clear_away() {
  local directory
  scripts/nginx.sh stop "$STACK_DIR/nginx"
  for directory in "$STACK_DIR"/order-api-*/; do scripts/serve.sh stop "$directory"; done
  scripts/redis.sh discard "$STACK_DIR/redis"
  scripts/postgres.sh discard "$STACK_DIR/postgres"
}

stop_all() {
  local status=$?
  trap '' INT TERM HUP PIPE
  set +e
  clear_away
  exit "$status"
}

main() {
  scripts/packages.sh
  local binary=${BINARY:-}
  [[ -n $binary ]] || {
    cargo build --release --locked
    binary=$(scripts/target-dir.sh)/release/order-api
  }
  clear_away
  rm -rf "$STACK_DIR"/order-api-*/
  trap stop_all EXIT
  trap 'exit 130' INT TERM HUP PIPE

  local upstreams=() number listen
  DATABASE_URL=$(scripts/postgres.sh start "$STACK_DIR/postgres")
  if [[ -n ${REDIS_PORT:-} ]]; then
    scripts/redis.sh start "$STACK_DIR/redis" --bind 127.0.0.1 --port "$REDIS_PORT" >/dev/null
    REDIS_URL=redis://127.0.0.1:$REDIS_PORT
  else
    REDIS_URL=$(scripts/redis.sh start "$STACK_DIR/redis")
  fi
  API_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
  export DATABASE_URL REDIS_URL API_TOKEN ENVIRONMENT=test DISTANCE_PROVIDER=haversine
  unset GMAP_TOKEN TLS_CERTIFICATE TLS_KEY TLS_PORT TRUSTED_PROXIES
  "$binary" migrate >"$STACK_DIR/migrate.log" 2>&1 || {
    cat "$STACK_DIR/migrate.log" >&2
    exit 1
  }
  for ((number = 1; number <= instances; number++)); do
    upstreams+=("$(scripts/serve.sh start "$STACK_DIR/order-api-$number" "$binary")")
  done
  listen=127.0.0.1:$(scripts/free-port.sh)
  scripts/nginx.sh start "$STACK_DIR/nginx" "$listen" "${upstreams[@]}"
  HOST=http://$listen BASE_URL=http://$listen UPSTREAMS="${upstreams[*]/#/http://}" "$@"
}

mkdir -p "$STACK_DIR"
exec 9>>"$STACK_DIR/lock"
flock --nonblock 9 || {
  echo "Waiting for the stack that runs here already." >&2
  flock 9
}
main "$@" 9>&- # the shell keeps the lock to itself: nothing it starts may inherit it
