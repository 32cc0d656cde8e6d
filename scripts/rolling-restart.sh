#!/usr/bin/env bash
# Replaces every replica of the service by a new one of the present image and settings, one at a time: the new
# one is healthy before the old one is told to stop, so there are never fewer than before. One that does not become
# healthy is removed again, and the old ones serve on.
set -euo pipefail

cd "$(dirname "$0")/.."
service=order-api-app
all() { scripts/compose.sh ps --all --quiet "$service"; }

mapfile -t old < <(scripts/compose.sh ps --quiet "$service")
((${#old[@]})) || {
  echo "None runs: make docker-compose" >&2
  exit 1
}

# Both versions serve for a while, so a migration suits both; one that fails leaves everything as it was.
scripts/compose.sh --progress quiet run --rm --no-deps order-api-migrate

# Starts one more beside those that are there.
add() {
  scripts/compose.sh --progress quiet up --detach --no-deps --no-recreate --scale "$service=$((${#old[@]} + 1))" \
    --wait --wait-timeout 60 "$service"
}

for container in "${old[@]}"; do
  before=$(all)
  add || {
    new=$(comm -13 <(sort <<<"$before") <(all | sort))
    [[ -z $new ]] || {
      docker logs --tail 20 "$new" >&2 || true
      docker rm --force "$new" >/dev/null
    }
    echo "A new replica did not become healthy and was removed; the old ones serve on." >&2
    exit 1
  }
  sleep 2 # until Nginx has asked for the addresses again
  docker stop --time 30 "$container" >/dev/null
  docker rm "$container" >/dev/null
  echo "Replaced ${container:0:12}." >&2
done
