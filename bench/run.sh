#!/usr/bin/env bash
# Measures the service beside what it is built upon, in five minutes, and prints tables (bench/README.md):
#   make bench               SMOKE=1: one short round of everything, which says nothing of speed
#   BINARY=path              instead of this tree's release build
#   COMPARE=path             a second build, measured in turn with the first
#   ONLY="orders queue"      of orders, queue, overload and compare; ROUNDS (5), DURATION (1 s each)
set -euo pipefail

cd "$(dirname "$0")/.."
scripts/packages.sh also wrk webdis

export SMOKE=${SMOKE:-0} COMPARE=${COMPARE:-} STACK_DIR=var/bench PUBLISH=0
[[ $SMOKE$COMPARE${BINARY:-}${ONLY:-}${ROUNDS:-}${DURATION:-} != 0 ]] || PUBLISH=1
if ((SMOKE)); then usual=(1 0.2); else usual=(5 1); fi
export ROUNDS=${ROUNDS:-${usual[0]}} DURATION=${DURATION:-${usual[1]}}
export ONLY=${ONLY:-orders queue overload ${COMPARE:+compare}}
REDIS_PORT=$(scripts/free-port.sh) # by TCP, as redis-benchmark and a stack in containers have it
export REDIS_PORT
scripts/stack.sh 1 bench/measure.sh
