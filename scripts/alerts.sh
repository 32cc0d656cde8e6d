#!/usr/bin/env bash
# Checks Prometheus' configuration and holds the alert rules against invented series, with the promtool of its image.
set -euo pipefail

cd "$(dirname "$0")/.."
promtool() {
  docker run --rm --network none --volume "$PWD/monitoring:/monitoring:ro" --entrypoint promtool \
    "$(sed -n 's/^ *image: \(prom.prometheus:.*\)/\1/p' docker-compose.yml)" "$@"
}
promtool check config /monitoring/prometheus.yml
promtool test rules /monitoring/alerts.test.yml
