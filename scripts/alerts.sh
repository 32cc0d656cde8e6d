#!/usr/bin/env bash
# Checks Prometheus's configuration and tests the alert rules on synthetic series, with the promtool of its image.
set -euo pipefail

cd "$(dirname "$0")/.."
promtool() {
  docker run --rm --network none --volume "$PWD/monitoring:/monitoring:ro" --entrypoint promtool \
    "$(sed -n 's/^ *image: \(prom.prometheus:.*\)/\1/p' docker-compose.yml)" "$@"
}
promtool check config /monitoring/prometheus.yml
promtool test rules /monitoring/alerts.test.yml
