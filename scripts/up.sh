#!/usr/bin/env bash
# Builds and starts all containers, returns when each is healthy, and says how to go on.
# Arguments go to docker compose up, such as --scale order-api-app=3. With BUILD=no the image is the one that is there.
set -euo pipefail

cd "$(dirname "$0")/.."
[[ ${ALONE:-no} == yes ]] || exec scripts/alone.sh scripts/up.sh "$@"
scripts/compose.sh config --quiet # what is wrong with a setting, in one line and before anything else
# `up --build` would know the image by another name than a rolling restart, and replace what that has made.
[[ ${BUILD:-yes} == no ]] || scripts/compose.sh build
scripts/clear-replicas.sh
limit=180
up() { scripts/compose.sh up --detach --wait --wait-timeout "$limit" "$@"; }
SECONDS=0
# What fails before the limit was interrupted: the engine was still stopping a container that had been counted as running,
# for a command that was killed, say. It has stopped by now.
up "$@" || { ((SECONDS < limit)) && up "$@"; } || {
  scripts/compose.sh ps --all >&2
  scripts/compose.sh logs --tail 20 >&2
  exit 1
}
if tls=$(scripts/compose.sh port order-api-nginx 8443 2>/dev/null) && [[ $tls == *:[1-9]* ]]; then
  url=https://$tls
  scripts/renew-certificate.sh >/dev/null # the one that runs already may have the one before
else
  url=http://$(scripts/compose.sh port order-api-nginx 8080)
fi
cat <<END

order-api is at $url, and every container is healthy: make ps, make logs.
The token of the routes that ask for one is API_TOKEN in .env. make down stops it; the data stays.
END
