#!/usr/bin/env bash
# Builds and starts all containers, returns when each is healthy, and prints the address.
# Arguments are passed to docker compose up, such as --scale order-api-app=3. BUILD=no uses the existing image.
set -euo pipefail

cd "$(dirname "$0")/.."
[[ ${ALONE:-no} == yes ]] || exec scripts/alone.sh scripts/up.sh "$@"
scripts/compose.sh config --quiet # reports a wrong setting in one line, first
# `up --build` names the image differently from a rolling restart, and would replace the containers of one.
[[ ${BUILD:-yes} == no ]] || scripts/compose.sh build
scripts/clear-replicas.sh
limit=180
up() { scripts/compose.sh up --detach --wait --wait-timeout "$limit" "$@"; }
SECONDS=0
# A failure before the limit is an interruption: the engine was still stopping a container that counted as running, after
# a killed command for example. It has stopped by now.
up "$@" || { ((SECONDS < limit)) && up "$@"; } || {
  scripts/compose.sh ps --all >&2
  scripts/compose.sh logs --tail 20 >&2
  exit 1
}
if tls=$(scripts/compose.sh port order-api-nginx 8443 2>/dev/null) && [[ $tls == *:[1-9]* ]]; then
  url=https://$tls
  scripts/renew-certificate.sh >/dev/null # a running Nginx may have the previous certificate
else
  url=http://$(scripts/compose.sh port order-api-nginx 8080)
fi
cat <<END

order-api is at $url, and every container is healthy: make ps, make logs.
The token for protected routes is API_TOKEN in .env. make down stops everything; the data stays.
END
