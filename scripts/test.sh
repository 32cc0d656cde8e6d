#!/usr/bin/env bash
# Runs every test against a PostgreSQL and a Redis of its own, made anew in var/test; those in
# tests/e2e against a service started here, through Nginx. Arguments go to cargo test.
set -euo pipefail

cd "$(dirname "$0")/.."

stop_all() {
  local status=$?
  trap '' INT TERM HUP PIPE
  set +e
  scripts/nginx.sh stop var/test/nginx
  scripts/serve.sh stop var/test/order-api
  scripts/redis.sh discard var/test/redis
  scripts/postgres.sh discard var/test/postgres
  exit "$status"
}

main() {
  scripts/packages.sh
  trap stop_all EXIT
  trap 'exit 130' INT TERM HUP PIPE
  cargo build --locked
  local binary
  binary=$(scripts/target-dir.sh)/debug/order-api

  local upstream listen
  scripts/postgres.sh discard var/test/postgres # of a run that was killed
  scripts/redis.sh discard var/test/redis
  DATABASE_URL=$(scripts/postgres.sh start var/test/postgres -c fsync=off -c max_connections=400)
  REDIS_URL=$(scripts/redis.sh start var/test/redis --appendfsync everysec)
  export DATABASE_URL REDIS_URL
  API_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
  export API_TOKEN
  export DISTANCE_PROVIDER=haversine # no test asks the world
  export ENVIRONMENT=test
  unset GMAP_TOKEN TLS_CERTIFICATE TLS_KEY TLS_PORT TRUSTED_PROXIES

  "$binary" migrate
  upstream=$(scripts/serve.sh start var/test/order-api "$binary")
  listen=127.0.0.1:$(scripts/free-port.sh)
  scripts/nginx.sh start var/test/nginx "$listen" "$upstream"
  BASE_URL=http://$listen cargo test --locked --no-fail-fast "$@"
}

mkdir -p var
exec 9>>var/test.pid
flock --nonblock 9 || {
  echo "Waiting for the tests that run here already." >&2
  flock 9
}
main "$@" 9>&- # the shell keeps the lock to itself: nothing it starts may inherit it
