# shellcheck shell=bash
# Messages, and whether the queue has what the clients have counted; sourced by measure.sh.

length() { redis-cli -p "$REDIS_PORT" LLEN message_queue; }

# So that no pop finds it empty.
fill_queue() {
  local wanted
  wanted=$(awk -v seconds="$DURATION" 'BEGIN { print int(300000 * seconds) }')
  (($(length) >= wanted)) ||
    redis-benchmark -p "$REDIS_PORT" -c 4 -P 100 -n "$wanted" -q RPUSH message_queue "$MESSAGE" >/dev/null
}

push() { # BY CONNECTIONS
  local before
  before=$(length)
  measure push "$@"
  counted "push $*" "$answered" "$(($(settled length) - before))" "$in_flight"
}

pop() { # BY CONNECTIONS
  local before
  fill_queue
  before=$(length)
  measure pop "$@"
  counted "pop $*" "$answered" "$((before - $(settled length)))" "$in_flight"
}
