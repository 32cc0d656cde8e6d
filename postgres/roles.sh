#!/bin/sh
# Updates the roles at each start of the containers, as the superuser, through the socket.
set -eu

exec psql --no-psqlrc --quiet --host=/var/run/postgresql --username=order_api --dbname=order_api \
  --set=ON_ERROR_STOP=1 --set=migrate_password="$(cat /run/secrets/POSTGRES_MIGRATE_PASSWORD)" \
  --set=service_password="$(cat /run/secrets/POSTGRES_SERVICE_PASSWORD)" --single-transaction \
  --file=/etc/order-api/roles.sql
