# shellcheck shell=bash
# Requests about orders, and whether the table has what the clients have counted; sourced by measure.sh.

next=1 last=0            # ids from next to last are free to be taken
placed=0 taken=0         # as clients have counted
in_flight=(0 0)          # and how many more there may be of both

sql() { "$postgres_bin/psql" "$DATABASE_URL" --no-psqlrc --quiet -At -v ON_ERROR_STOP=1 -c "$1"; }

under_way() { [[ $1 == pgbench ]] && echo 0 || echo "$2"; }

place() { # BY CONNECTIONS
  local newest more
  newest=$(sql 'SELECT coalesce(max(id), 0) FROM orders')
  measure place "$@"
  more=$(under_way "$@")
  counted "place $*" "$answers" "$(sql "SELECT count(*) FROM orders WHERE id > $newest")" "$more"
  placed=$((placed + answers)) in_flight[0]=$((in_flight[0] + more))
}

take() { # BY CONNECTIONS
  local more rows highest
  free_orders
  FIRST=$next measure take "$@"
  more=$(under_way "$@")
  IFS='|' read -r rows highest < <(sql "SELECT count(*), max(id) FROM orders
    WHERE id BETWEEN $next AND $last AND status = 'TAKEN'")
  counted "take $*" "$answers" "$rows" "$more"
  taken=$((taken + answers)) in_flight[1]=$((in_flight[1] + more))
  next=$(((highest > next + answers + more ? highest : next + answers + more) + 1)) # also past those under way
}

list() { measure list "$@"; }

show() { FIRST=1 measure show "$@"; }

# As many as nobody takes in one measurement. One statement gives ids without a gap.
free_orders() {
  local wanted count
  wanted=$(awk -v seconds="$DURATION" 'BEGIN { print int(40000 * (seconds + 1)) }')
  ((last - next < wanted)) || return 0
  IFS='|' read -r next last count < <(sql "WITH new AS (
      INSERT INTO orders (origin_lat, origin_lng, destination_lat, destination_lng, distance)
      SELECT 50.456399, 12.70758, 59.436487, 24.747193, 1256281 FROM generate_series(1, $wanted * 4) RETURNING id)
    SELECT min(id), max(id), count(*) FROM new")
  ((last - next + 1 == count)) || wrong "orders that were placed beforehand have gaps between their ids"
  placed=$((placed + count))
}

check_orders() {
  local rows won
  IFS='|' read -r rows won < <(sql "SELECT count(*), count(*) FILTER (WHERE status = 'TAKEN') FROM orders")
  counted "all orders that were placed" "$placed" "$rows" "${in_flight[0]}"
  counted "all orders that were taken" "$taken" "$won" "${in_flight[1]}"
}
