# shellcheck shell=bash
# Requests about orders, and whether the table has what the clients have counted; sourced by measure.sh.

next=1 last=0                   # ids from next to last are free to be taken
placed=0 taken=0                # as clients have counted in all
placed_at_most=0 taken_at_most=0

sql() { "$postgres_bin/psql" "$DATABASE_URL" --no-psqlrc --quiet -At -v ON_ERROR_STOP=1 -c "$1"; }

place() { # BY CONNECTIONS
  local newest
  newest=$(sql 'SELECT coalesce(max(id), 0) FROM orders')
  measure place "$@"
  count_placed "place $*" "$newest" "$answered" "$in_flight"
}

count_placed() { # WHAT SINCE COUNTED IN_FLIGHT
  counted "$1" "$3" "$(settled sql "SELECT count(*) FROM orders WHERE id > $2")" "$4"
  placed=$((placed + $3)) placed_at_most=$((placed_at_most + $3 + $4))
}

take() { # BY CONNECTIONS
  local rows highest past
  free_orders
  FIRST=$next measure take "$@"
  IFS='|' read -r rows highest < <(settled sql "SELECT count(*), coalesce(max(id), 0) FROM orders
    WHERE id BETWEEN $next AND $last AND status = 'TAKEN'")
  counted "take $*" "$answered" "$rows" "$in_flight"
  taken=$((taken + answered)) taken_at_most=$((taken_at_most + answered + in_flight))
  past=$((next + answered + in_flight))
  next=$((highest < past ? past : highest + 1)) # past those too that are in flight
}

list() { # BY CONNECTIONS
  measure list "$@"
  [[ $1 == pgbench ]] || listed "$1"
}

listed() { # once, whether it is the newest twenty
  local ids
  ids=$(curl --silent --fail "${url[$1]}/orders?page=1&limit=20" | grep -o '"id":[0-9]*' | cut -d : -f 2) || true
  [[ $ids == "$(sql 'SELECT id FROM orders ORDER BY id DESC LIMIT 20')" ]] || wrong "$1 does not list the newest orders"
}

show() { FIRST=1 measure show "$@"; }

# As many as nobody takes in one measurement. One statement gives ids without a gap.
free_orders() {
  local wanted count
  wanted=$(awk -v seconds="$DURATION" 'BEGIN { print int(60000 * (seconds + 1)) }')
  ((last - next < wanted)) || return 0
  IFS='|' read -r next last count < <(sql "WITH new AS (
      INSERT INTO orders (origin_lat, origin_lng, destination_lat, destination_lng, distance)
      SELECT 50.456399, 12.70758, 59.436487, 24.747193, 1256281 FROM generate_series(1, $wanted * 4) RETURNING id)
    SELECT min(id), max(id), count(*) FROM new")
  ((last - next + 1 == count)) || wrong "orders that were placed beforehand have gaps between their ids"
  placed=$((placed + count)) placed_at_most=$((placed_at_most + count))
}

check_orders() {
  local rows won
  IFS='|' read -r rows won < <(sql "SELECT count(*), count(*) FILTER (WHERE status = 'TAKEN') FROM orders")
  counted "all orders that were placed" "$placed" "$rows" "$((placed_at_most - placed))"
  counted "all orders that were taken" "$taken" "$won" "$((taken_at_most - taken))"
}
