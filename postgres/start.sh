#!/bin/sh
# Starts PostgreSQL on the data of its own major version. If only data of another version exists, it says so and exits:
# the image's own script would create an empty database next to it.
set -eu

all=/var/lib/postgresql
export PGDATA="$all/$PG_MAJOR/docker"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  for other in "$all"/[1-9]*/docker/PG_VERSION; do
    [ ! -s "$other" ] || {
      version=$(cat "$other")
      echo "The data is of PostgreSQL $version, and this is PostgreSQL $PG_MAJOR. Write POSTGRES_VERSION=$version" \
        "into .env, then: make docker-compose, make upgrade-postgres TO=$PG_MAJOR" >&2
      exit 1
    }
  done
fi
exec docker-entrypoint.sh "$@"
