#!/bin/sh
# What a container runs: brings the database up to date, then becomes the service.
set -eu

order-api migrate
exec order-api serve
