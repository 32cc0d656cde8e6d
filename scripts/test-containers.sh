#!/usr/bin/env bash
# Runs tests/containers, one test after the other, against a stack of containers and volumes of its own,
# which is removed at the end. Arguments go to cargo test. With RESTART_ENGINE=yes Docker itself is restarted too.
set -euo pipefail

cd "$(dirname "$0")/.."
export COMPOSE_PROJECT_NAME=order-api-test PORT=18080 PROMETHEUS_PORT=19090
unset REPLICAS BIND_ADDRESS
export TLS_CERTIFICATE="" TLS_KEY="" TLS_PORT=18443 TRUSTED_PROXIES="" # whatever .env has

discard() { scripts/compose.sh --progress quiet down --volumes --remove-orphans --timeout 5; }

main() {
  cargo test --locked --test containers --no-run
  discard
  trap discard EXIT
  cargo test --locked --test containers "$@" -- --test-threads=1 ${RESTART_ENGINE:+--include-ignored}
}

mkdir -p var
exec 9>>var/test-containers.pid
flock --nonblock 9 || {
  echo "The containers' tests run here already." >&2
  exit 1
}
main "$@"
