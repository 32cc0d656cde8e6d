#!/usr/bin/env bash
# Replaces every replica of the service by a new one of the present image and settings, one at a time: the new one
# gets requests once it is healthy, and then an old one is told to stop, so there are never fewer than before. One
# that does not become healthy within a minute never gets any: it is removed again, and the old ones serve on.
set -euo pipefail

cd "$(dirname "$0")/.."
[[ ${ALONE:-no} == yes ]] || exec scripts/alone.sh scripts/rolling-restart.sh
service=order-api-app
all() { scripts/compose.sh ps --all --quiet "$service"; }

remove_new() {
  [[ -z ${new:-} ]] || docker rm --force "$new" >/dev/null
}
trap remove_new EXIT
trap 'exit 130' INT TERM HUP

scripts/clear-replicas.sh
mapfile -t old < <(scripts/compose.sh ps --quiet "$service")
((${#old[@]})) || {
  echo "None runs: make docker-compose" >&2
  exit 1
}
# Nginx asks for the replicas on this network alone.
network=$(docker inspect --format '{{index .Config.Labels "com.docker.compose.project"}}' "${old[0]}")_service

# Both versions serve for a while, so a migration suits both; one that fails leaves everything as it was.
scripts/compose.sh --progress quiet run --rm --no-deps order-api-migrate || {
  echo "The migration failed; the old replicas serve on." >&2
  exit 1
}

# Makes one more beside those that are there, where Nginx does not find it.
create() {
  local before
  before=$(all)
  scripts/compose.sh --progress quiet up --no-start --no-recreate \
    --scale "$service=$(($(wc -l <<<"$before") + 1))" "$service"
  new=$(comm -13 <(sort <<<"$before") <(all | sort))
  docker network disconnect "$network" "$new"
}

# One that ends, or says that it is not well, has failed.
until_healthy() {
  local end=$((SECONDS + 60)) state
  while ((SECONDS < end)); do
    state=$(docker inspect --format '{{.State.Status}} {{.RestartCount}} {{.State.Health.Status}}' "$1") || return 1
    case $state in
      "running 0 healthy") return ;;
      "running 0 starting") sleep 0.3 ;;
      *) return 1 ;;
    esac
  done
  return 1
}

# One that stops refuses connections, and is left out after some of these; once it is gone, a connection there would be
# waited for, until Nginx has asked for the addresses again. So Nginx learns it from these requests, also where it has
# no others.
ask_nginx() {
  # shellcheck disable=SC2016 # the container's shell reads it
  scripts/compose.sh exec -T order-api-nginx sh -c '
    while [ $1 -gt 0 ]; do
      curl --silent --output /dev/null --max-time 5 http://127.0.0.1:8080/livez
      set -- $(($1 - 1))
    done' sh "$((4 * (${#old[@]} + 1)))" </dev/null || true
}

stop() {
  local stopping
  docker stop --time 30 "$1" >/dev/null &
  stopping=$!
  sleep 0.3 # until it refuses
  while
    ask_nginx
    kill -0 "$stopping" 2>/dev/null
  do sleep 0.3; done
  wait "$stopping"
  docker rm "$1" >/dev/null
}

for container in "${old[@]}"; do
  create
  if ! docker start "$new" >/dev/null || ! until_healthy "$new"; then
    docker logs --tail 20 "$new" >&2 || true
    echo "A new replica did not become healthy and was removed; the old ones serve on." >&2
    exit 1
  fi
  docker network connect --alias "$service" "$network" "$new"
  new=
  sleep 2 # until Nginx has asked for the addresses again
  stop "$container"
  echo "Replaced ${container:0:12}." >&2
done
