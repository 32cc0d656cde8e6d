#!/usr/bin/env bash
# Builds and runs all of it on this machine until Ctrl-C: PostgreSQL, Redis, the service, Nginx.
# The data stays in var/. PORT (8080) is where Nginx listens; the service reads its settings from the
# environment and, what is not set there, from .env.
set -euo pipefail

cd "$(dirname "$0")/.."

say() { echo "$*" >&2; }

stop_all() {
  local status=$?
  trap '' INT TERM HUP PIPE
  set +e
  say "Stopping."
  scripts/nginx.sh stop var/nginx || status=1
  scripts/serve.sh stop var/order-api || status=1
  scripts/redis.sh stop var/redis || status=1
  scripts/postgres.sh stop var/postgres || status=1
  exit "$status"
}

load_settings() {
  scripts/secrets.sh
  local line name
  while read -r line; do
    name=${line%%=*}
    [[ $line != [A-Z]*=* || -v $name ]] || export "$name=${line#*=}"
  done <.env
}

# The certificate is for another name than 127.0.0.1, it may be.
wait_until_healthy() {
  local deadline=$((SECONDS + 15))
  until curl --insecure --silent --fail --max-time 5 --output /dev/null "$url/healthcheck"; do
    if ((SECONDS > deadline)) || ! scripts/serve.sh alive var/order-api; then
      say "The service is not healthy: $(curl --insecure --silent --max-time 5 "$url/healthcheck")"
      tail -n 20 var/order-api/log >&2
      return 1
    fi
    sleep 0.05
  done
}

# The id that the first of the printed lines will be given.
next_order() {
  psql "$DATABASE_URL" --no-psqlrc -Atc \
    "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('orders', 'id')::regclass), 0) + 1" 2>/dev/null || echo 1
}

welcome() {
  cat <<END

order-api is at $url, its logs are var/*/log. Place an order, take it, list the newest:

  curl -X POST $url/orders -d '{"origin": ["50.456399", "12.707580"], "destination": ["59.436487", "24.747193"]}'
  curl -X PATCH $url/orders/$(next_order) -d '{"status": "TAKEN"}'
  curl '$url/orders?page=1&limit=20'

The token of the other routes is API_TOKEN in .env.

Ctrl-C stops everything.
END
}

main() {
  scripts/packages.sh
  load_settings
  scripts/nginx-settings.sh check
  listen=127.0.0.1:${PORT:-8080}
  url=http://$listen
  [[ -z ${TLS_CERTIFICATE:-} ]] || url=https://127.0.0.1:${TLS_PORT:-8443}
  # What a run that was killed has left behind; its databases are taken over as they are.
  scripts/nginx.sh stop var/nginx
  scripts/serve.sh stop var/order-api
  scripts/nginx.sh check "$listen"
  [[ -z ${TLS_CERTIFICATE:-} ]] || scripts/nginx.sh check "${url#https://}" TLS_PORT
  cargo build --release --locked
  binary=$(scripts/target-dir.sh)/release/order-api

  trap stop_all EXIT
  trap 'exit 0' INT TERM HUP PIPE
  local upstream
  DATABASE_URL=$(scripts/postgres.sh start var/postgres -c autovacuum_naptime=10s)
  REDIS_URL=$(scripts/redis.sh start var/redis)
  export DATABASE_URL REDIS_URL
  "$binary" migrate >var/migrate.log 2>&1 || {
    cat var/migrate.log >&2
    exit 1
  }
  upstream=$(scripts/serve.sh start var/order-api "$binary")
  scripts/nginx.sh start var/nginx "$listen" "$upstream"
  wait_until_healthy
  welcome

  while scripts/serve.sh alive var/order-api && scripts/nginx.sh alive var/nginx; do
    sleep 1 &
    wait $!
  done
  say "The service or Nginx ended by itself; the end of their logs:"
  tail -n 10 var/order-api/log var/nginx/log >&2
  return 1
}

mkdir -p var
exec 9>>var/run.pid
flock --nonblock 9 || {
  say "make run is running here already, as process $(cat var/run.pid)."
  exit 1
}
echo $$ >var/run.pid
main 9>&- # the shell keeps the lock to itself: nothing it starts may inherit it
