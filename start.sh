#!/bin/sh
# What a container runs: takes each file in /run/secrets as the variable of its name, then becomes `order-api` with
# the command that it was given.
set -eu

for secret in /run/secrets/*; do
  [ ! -f "$secret" ] || export "${secret##*/}=$(cat "$secret")"
done
exec order-api "$@"
