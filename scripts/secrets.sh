#!/usr/bin/env bash
# Creates .env with random secrets, readable only by its owner, if it does not exist; never changes an existing one.
#   secrets.sh [NAME...]    fails with a message if one of these variables is missing from it
set -euo pipefail

cd "$(dirname "$0")/.."

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

if [[ ! -e .env ]]; then
  (
    umask 077
    cat >.env.new <<END
# Created by scripts/secrets.sh; .env.example lists the other settings.
API_TOKEN=$(random)
# For the containers only; letters and digits.
POSTGRES_PASSWORD=$(random)
POSTGRES_MIGRATE_PASSWORD=$(random)
POSTGRES_SERVICE_PASSWORD=$(random)
REDIS_PASSWORD=$(random)
REDIS_HEALTH_PASSWORD=$(random)
GRAFANA_PASSWORD=$(random)
# Changed by make upgrade-postgres.
POSTGRES_VERSION=18
END
  )
  mv .env.new .env
  echo "Wrote .env with a new API_TOKEN and passwords." >&2
fi

missing=()
for name in "$@"; do
  grep -q "^$name=..*" .env || missing+=("$name")
done
((${#missing[@]} == 0)) || {
  echo ".env lacks ${missing[*]}. Add a random value for each:" >&2
  [[ -z $(tail -c 1 .env) ]] || echo "  echo >>.env" >&2 # the last line lacks its end
  printf "  echo %s=\$(od -An -N32 -tx1 /dev/urandom | tr -d ' \\\\n') >>.env\n" "${missing[@]}" >&2
  exit 1
}
