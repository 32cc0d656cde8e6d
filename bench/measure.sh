#!/usr/bin/env bash
# What is measured, and in which order, inside the stack that run.sh has started.
set -euo pipefail

cd "$(dirname "$0")/.."
results=$STACK_DIR/results
source bench/processes.sh
source bench/clients.sh
source bench/orders.sh
source bench/queue.sh
source bench/overload.sh
source bench/report.sh

chosen() { [[ " $ONLY " == *" $1 "* ]]; }

progress() { [[ ! -t 2 ]] || printf '%s\033[K\r' "$*" >&2; }

# Does not end the run: what else there is to know is shown, and then it fails.
wrong() {
  echo "$*" | tee -a "$results.wrong" >&2
}

# Measures one REQUEST made by BY on CONNECTIONS, into a line of the results. How many were answered well is left in
# $answered, and in $in_flight how many more may have been carried out.
measure() {
  local before after said answers seconds p50 p99 refused broken
  progress "round $round of $ROUNDS: $*"
  mapfile -t before < <(ticks)
  said=$(client "$@")
  mapfile -t after < <(ticks)
  read -r answers seconds p50 p99 refused broken <<<"$said"
  ((answers > 0)) || {
    echo "$* was not answered at all" >&2
    exit 1
  }
  answered=$((answers - refused)) in_flight=$((refused + broken))
  ((in_flight == 0)) || {
    wrong "$*: of $answers answers $refused were errors, and $broken connections broke"
    refusals >&2
  }
  # wrk cuts off what is under way when its time is up; the others wait for it.
  [[ $2 == pgbench || $2 == redis-benchmark ]] || in_flight=$((in_flight + $3))
  echo "$* $answers $seconds $p50 $p99 ${before[*]} ${after[*]}" >>"$results"
}

# What COMMAND says once it says the same again: what was under way when the time was up, has been done.
settled() { # COMMAND...
  local before now
  now=$("$@")
  until [[ ${before:-} == "$now" ]]; do
    before=$now
    sleep 0.1
    now=$("$@")
  done
  echo "$now"
}

# Whether as much is IN_THE_DATABASE as the clients have counted.
counted() { # WHAT COUNTED IN_THE_DATABASE IN_FLIGHT
  (($2 <= $3 && $3 <= $2 + $4)) || wrong "$1: the clients counted $2, the database $3"
}

both_ways() { # the baseline and what is held against it, side by side
  local request=$1 connections
  "$request" "${@:2}"
  for connections in 64 256 16 1; do
    "$request" serve "$connections"
    "$request" nginx "$connections"
  done
}

a_round() {
  local request connections
  if chosen orders; then
    for request in place take list; do both_ways "$request" pgbench 16; done
  fi
  if chosen queue; then
    for request in push pop; do
      "$request" webdis 64
      both_ways "$request" redis-benchmark 50
    done
  fi
  if chosen compare; then
    for request in place take list show; do
      for connections in 1 64; do compare "$request" "$connections"; done
    done
  fi
}

compare() { # twice in a round, so that each comes first once
  local by
  for by in this other other this; do "$1" "$by" "$2"; done
}

main() {
  trap stop_clients EXIT
  trap 'exit 130' INT TERM HUP PIPE # else Ctrl-C would end one measurement alone
  rm -f "$results"*
  touch "$results"
  start_clients
  find_processes
  for ((round = 1; round <= ROUNDS; round++)); do
    a_round
    check_orders
    empty_logs
  done
  memory_table >"$results.memory"
  if chosen overload; then overload >"$results.overload"; fi
  empty_logs
  check_orders
  progress
  report
  [[ ! -e $results.wrong ]]
}

main
