#!/usr/bin/env bash
# Moves the containers' PostgreSQL to a newer major version:
#   upgrade-postgres.sh 19
# It makes a backup, stops all writers, copies everything next to the existing data, and swaps at the end; the old data
# stays. Everything is started again, even after a failure. If it is interrupted, even by kill -9, the next
# `make docker-compose` starts either the old version with the old data or the new one with the copy.
set -euo pipefail

cd "$(dirname "$0")/.."
[[ ${ALONE:-no} == yes ]] || exec scripts/alone.sh scripts/upgrade-postgres.sh "$@"
fail() {
  echo "$*" >&2
  exit 1
}
compose() { scripts/compose.sh "$@"; }
in_db() { compose exec -T order-api-db "$@"; }
all=/var/lib/postgresql

to=${1:-}
[[ $to =~ ^[1-9][0-9]$ ]] || fail "To which major version? make upgrade-postgres TO=19"
[[ -z ${POSTGRES_VERSION:-} ]] || fail "POSTGRES_VERSION is set in the environment, where it hides .env. Unset it."
compose config --quiet # a wrong setting would keep everything down in the end
version() {
  local number
  number=$(in_db psql --username=order_api --no-psqlrc --tuples-only --no-align --dbname=postgres \
    --command 'SHOW server_version_num') && echo $((number / 10000))
}
from=$(version) || fail "PostgreSQL does not answer (make ps); nothing was changed."
((to != from)) || fail "PostgreSQL $from runs already; nothing was changed."
((to > from)) || fail "PostgreSQL $from is running, which is not older than $to; nothing was changed."
docker image inspect "postgres:$to" >/dev/null 2>&1 || docker pull --quiet "postgres:$to" >&2 ||
  fail "There is no image postgres:$to; nothing was changed."
if [[ ${OVERWRITE:-no} != yes ]] && in_db test -e "$all/$to/docker"; then
  fail "Data of PostgreSQL $to exists, from a previous upgrade. To overwrite it: OVERWRITE=yes make upgrade-postgres TO=$to"
fi
backup=$(scripts/backup.sh) || fail "Nothing was changed."
echo "A backup is in $backup." >&2

# Selects the version to start, and with it the data.
switch() {
  (
    umask 077
    cp -p .env .env.new # it stays its owner's
    { awk '!/^POSTGRES_VERSION=/' .env && echo "POSTGRES_VERSION=$1"; } >.env.new # the last line may lack its end
  )
  sync .env.new
  mv .env.new .env
}

start_everything() {
  local status=$?
  trap - EXIT
  BUILD=no scripts/up.sh || status=1
  exit "$status"
}
trap start_everything EXIT
trap 'exit 130' INT TERM HUP

compose stop order-api-nginx order-api-app
name=${COMPOSE_PROJECT_NAME:-order-api}-upgrade
docker rm --force "$name" >/dev/null 2>&1 || true # from a killed run
UPGRADE_TO=$to compose --profile upgrade run --rm --no-deps -T --name "$name" order-api-upgrade "$from" </dev/null ||
  fail "The copy failed; PostgreSQL $from continues with its data."
in_db sh -c "mkdir -p $all/$to && rm -rf $all/$to/docker && mv $all/upgrade $all/$to/docker && sync"
switch "$to"
# Only the database: while nothing is written, the switch can be reverted.
{ compose up --detach --no-deps --wait --wait-timeout 180 order-api-db && [[ $(version) == "$to" ]]; } || {
  compose logs --tail 20 order-api-db >&2
  switch "$from"
  compose up --detach --no-deps --wait order-api-db
  in_db rm -rf "$all/$to"
  fail "PostgreSQL $to does not start; PostgreSQL $from continues with its data."
}
cat >&2 <<END
PostgreSQL $to has all of the data. The data of $from stays as it was at the upgrade:
  to return to it, without later writes: POSTGRES_VERSION=$from in .env, make docker-compose
  to remove it: scripts/compose.sh exec order-api-db rm -r $all/$from
END
