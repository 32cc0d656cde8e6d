#!/bin/sh
# Updates the roles at each start of the containers, as the superuser, through the socket.
set -eu

# Not on the command line, which everyone on the machine can read.
MIGRATE_PASSWORD=$(cat /run/secrets/POSTGRES_MIGRATE_PASSWORD)
SERVICE_PASSWORD=$(cat /run/secrets/POSTGRES_SERVICE_PASSWORD)
export MIGRATE_PASSWORD SERVICE_PASSWORD
exec psql --no-psqlrc --quiet --host=/var/run/postgresql --username=order_api --dbname=order_api \
  --set=ON_ERROR_STOP=1 --single-transaction --file=/etc/order-api/roles.sql
