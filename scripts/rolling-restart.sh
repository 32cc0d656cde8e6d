#!/usr/bin/env bash
# Replaces every replica of the service by a new one of the present image and settings, one at a time: the new
# one is healthy before the old one is told to stop, so there are never fewer than before.
set -euo pipefail

cd "$(dirname "$0")/.."
service=order-api-app

mapfile -t old < <(scripts/compose.sh ps --quiet "$service")
((${#old[@]})) || {
  echo "None runs: make docker-compose" >&2
  exit 1
}
for container in "${old[@]}"; do
  scripts/compose.sh --progress quiet up --detach --no-deps --no-recreate --scale "$service=$((${#old[@]} + 1))" \
    --wait --wait-timeout 120 "$service"
  sleep 2 # until Nginx has asked for the addresses again
  docker stop --time 30 "$container" >/dev/null
  docker rm "$container" >/dev/null
  echo "Replaced ${container:0:12}." >&2
done
