#!/usr/bin/env bash
# Builds and starts all containers, returns when each is healthy, and says how to go on.
# Arguments go to docker compose up, such as --scale order-api-app=3.
set -euo pipefail

cd "$(dirname "$0")/.."
limit=180
up() { scripts/compose.sh up --detach --build --wait --wait-timeout "$limit" "$@"; }
# What fails before the limit was interrupted: the engine was still stopping a container that had been counted as running,
# for a command that was killed, say. It has stopped by now.
up "$@" || { ((SECONDS < limit)) && up "$@"; } || {
  scripts/compose.sh ps --all >&2
  scripts/compose.sh logs --tail 20 >&2
  exit 1
}
address=$(scripts/compose.sh port order-api-nginx 8080)
cat <<END

order-api is at http://$address, and every container is healthy: make ps, make logs.
The token of the routes that ask for one is API_TOKEN in .env. make down stops it; the data stays.
END
