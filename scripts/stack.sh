#!/usr/bin/env bash
# Builds the service, starts it with PostgreSQL, Redis and Nginx on this machine, and stops them at the end:
#   stack.sh run                     make run: until Ctrl-C. The data stays in var/. PORT (8080) is where Nginx listens;
#                                    the settings are those of the environment and, where it has none, of .env
#   stack.sh test ARGUMENTS...       make test: runs cargo test, on new databases in var/test
#   stack.sh INSTANCES COMMAND...    runs a command, with this number of services, on new databases in STACK_DIR
#                                    (var/stack): stack.sh 3 make race. They are of a build with the cargo profile
#                                    PROFILE (release), or of BINARY; Redis listens on REDIS_PORT too, if that is set
# The command finds HOST, BASE_URL and API_TOKEN in its environment, DATABASE_URL and REDIS_URL, the services behind
# Nginx in UPSTREAMS, and their program in BINARY.
set -euo pipefail
shopt -s nullglob

cd "$(dirname "$0")/.."

say() { echo "$*" >&2; }

# Also what a run that was killed has left.
clear_away() {
  local service failed=0
  scripts/nginx.sh stop "$dir/nginx" || failed=1
  for service in "$dir"/order-api*/; do scripts/serve.sh stop "$service" || failed=1; done
  scripts/redis.sh "$databases" "$dir/redis" || failed=1
  scripts/postgres.sh "$databases" "$dir/postgres" || failed=1
  return "$failed"
}

stop_all() {
  local status=$?
  trap '' INT TERM HUP PIPE
  set +e
  [[ $mode != run || -z ${upstreams[*]} ]] || say "Stopping."
  clear_away || status=1
  exit "$status"
}

start_all() { # SERVICE...
  local service
  [[ -n $binary ]] || {
    cargo build --locked --profile "$profile"
    binary=$(scripts/target-dir.sh)/${profile/#dev/debug}/order-api
  }
  DATABASE_URL=$(scripts/postgres.sh start "$dir/postgres" "${postgres[@]}")
  REDIS_URL=$(scripts/redis.sh start "$dir/redis" "${redis[@]}")
  [[ -z $redis_port ]] || REDIS_URL=redis://127.0.0.1:$redis_port
  export DATABASE_URL REDIS_URL
  "$binary" migrate >"$dir/migrate.log" 2>&1 || {
    cat "$dir/migrate.log" >&2
    exit 1
  }
  for service; do upstreams+=("$(scripts/serve.sh start "$dir/$service" "$binary")"); done
  scripts/nginx.sh start "$dir/nginx" "$listen" "${upstreams[@]}"
}

# With settings for tests: none of them asks the world.
with() { # INSTANCES COMMAND...
  local services
  API_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
  export API_TOKEN ENVIRONMENT=test DISTANCE_PROVIDER=haversine
  unset GMAP_TOKEN TLS_CERTIFICATE TLS_KEY TLS_PORT TRUSTED_PROXIES
  rm -rf "$dir"/order-api-*/
  mapfile -t services < <(seq --format order-api-%.0f "$1")
  listen=127.0.0.1:$(scripts/free-port.sh)
  start_all "${services[@]}"
  export HOST=http://$listen BASE_URL=http://$listen UPSTREAMS="${upstreams[*]/#/http://}" BINARY=$binary
  "${@:2}"
}

load_settings() {
  scripts/secrets.sh
  local line name
  while read -r line || [[ -n $line ]]; do # the last one may lack its end
    name=${line%%=*}
    [[ $line != [A-Z]*=* || -v $name ]] || export "$name=${line#*=}"
  done <.env
  scripts/nginx-settings.sh check
}

welcome() {
  local next # the id that the first of these lines will be given
  next=$(psql "$DATABASE_URL" -XAtc "SELECT coalesce(pg_sequence_last_value('orders_id_seq'), 0) + 1" 2>/dev/null || echo 1)
  cat <<END

order-api is at $url, its logs are var/*/log. Place an order, take it, list the newest:

  curl -X POST $url/orders -d '{"origin": ["50.456399", "12.707580"], "destination": ["59.436487", "24.747193"]}'
  curl -X PATCH $url/orders/$next -d '{"status": "TAKEN"}'
  curl '$url/orders?page=1&limit=20'

The token of the other routes is API_TOKEN in .env.

Ctrl-C stops everything.
END
}

run() {
  local url health
  load_settings
  listen=127.0.0.1:${PORT:-8080} url=http://127.0.0.1:${PORT:-8080}
  scripts/free-port.sh "$listen"
  [[ -z ${TLS_CERTIFICATE:-} ]] || {
    url=https://127.0.0.1:${TLS_PORT:-8443}
    scripts/free-port.sh "${url#https://}" TLS_PORT
  }
  start_all order-api
  # The certificate may be for another name than 127.0.0.1.
  health=(curl --insecure --silent --max-time 5 "$url/healthcheck")
  "${health[@]}" --fail --retry 15 --retry-delay 1 --output /dev/null || {
    say "The service is not healthy: $("${health[@]}")"
    tail -n 20 "$dir/order-api/log" >&2
    return 1
  }
  welcome
  while scripts/serve.sh alive "$dir/order-api" && scripts/nginx.sh alive "$dir/nginx"; do
    sleep 1 &
    wait $!
  done
  say "The service or Nginx ended by itself; the end of their logs:"
  tail -n 10 "$dir"/{order-api,nginx}/log >&2
  return 1
}

main() {
  scripts/packages.sh
  trap stop_all EXIT
  trap 'exit "$interrupted"' INT TERM HUP PIPE
  clear_away
  case $mode in
    run) run ;;
    test) with 1 cargo test --locked --no-fail-fast "${@:2}" ;;
    *) with "$@" ;;
  esac
}

mode=$1 lock='' interrupted=130 databases=discard binary='' redis_port='' postgres=() redis=() upstreams=()
case $mode in
  run) dir=var lock=var/run.pid profile=quick interrupted=0 databases=stop postgres=(-c autovacuum_naptime=10s) ;;
  test) dir=var/test profile=dev postgres=(-c fsync=off -c max_connections=400) redis=(--appendfsync everysec) ;;
  *)
    dir=${STACK_DIR:-var/stack} profile=${PROFILE:-release} binary=${BINARY:-} redis_port=${REDIS_PORT:-}
    redis=(${redis_port:+--bind 127.0.0.1 --port "$redis_port"})
    ;;
esac
export STACK_DIR=$dir
mkdir -p "$dir"
exec 9>>"${lock:=$dir/lock}"
flock --nonblock 9 || {
  [[ $mode != run ]] || {
    say "make run is running here already, as process $(cat "$lock")."
    exit 1
  }
  say "Waiting for the run in $dir that has begun already."
  flock 9
}
echo $$ >"$lock"
main "$@" 9>&- # the shell keeps the lock to itself: nothing it starts may inherit it
