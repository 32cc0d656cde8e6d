#!/usr/bin/env bash
# Removes replicas that get no requests where others do: what a rolling restart that was killed has left. Compose would
# start these, and remove others in their place.
set -euo pipefail

cd "$(dirname "$0")/.."
serving=() left=()
for container in $(scripts/compose.sh ps --all --quiet order-api-app); do
  # Nginx finds a replica by the network `service`.
  state=$(docker inspect --format '{{.State.Status}}{{range $name, $_ := .NetworkSettings.Networks}} {{$name}}{{end}} ' \
    "$container")
  if [[ $state == running*_service\ * ]]; then serving+=("$container"); else left+=("$container"); fi
done
((${#serving[@]} == 0 || ${#left[@]} == 0)) || docker rm --force "${left[@]}" >/dev/null
