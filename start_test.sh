#!/bin/sh
# What the test image runs: every test, on servers of its own; exits with their status.
set -eu

cd /order-api
exec scripts/stack.sh test "$@"
