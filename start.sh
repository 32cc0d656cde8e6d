#!/bin/sh
# What a container runs: takes each file in /run/secrets as the variable of its name, brings the database
# up to date, then becomes the service.
set -eu

for secret in /run/secrets/*; do
  [ ! -f "$secret" ] || export "${secret##*/}=$(cat "$secret")"
done
order-api migrate
exec order-api serve
