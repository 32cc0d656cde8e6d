# shellcheck shell=bash
# The load generators, each of which says: answers, seconds, p50 and p99 in milliseconds, refusals, broken
# connections. Sourced by measure.sh.

postgres_bin=$(dirname "$(readlink -f "/proc/$(head -n 1 "$STACK_DIR/postgres/data/postmaster.pid")/exe")")
MESSAGE=$(printf '%0100d' 0) # 100 bytes
export MESSAGE

declare -A url=([serve]=$UPSTREAMS [this]=$UPSTREAMS [nginx]=$BASE_URL)

start_clients() {
  local port webdis=$STACK_DIR/webdis
  mkdir -p "$webdis"
  port=$(scripts/free-port.sh)
  url[webdis]=http://127.0.0.1:$port
  # As Debian sets it up, but for the addresses and the log.
  cat >"$webdis/webdis.json" <<END
{"redis_host": "127.0.0.1", "redis_port": $REDIS_PORT, "http_host": "127.0.0.1", "http_port": $port, "threads": 2,
 "daemonize": false, "database": 0, "verbosity": 1, "logfile": "$PWD/$webdis/log"}
END
  setsid webdis "$webdis/webdis.json" </dev/null >/dev/null 2>&1 &
  echo $! >"$webdis/pid"
  curl --silent --fail --retry 20 --retry-delay 0 --retry-connrefused --max-time 5 --output /dev/null \
    "${url[webdis]}/LLEN/message_queue"
  [[ -z $COMPARE ]] || url[other]=http://$(scripts/serve.sh start "$STACK_DIR/order-api-other" "$COMPARE")
}

stop_clients() {
  kill "$(cat "$STACK_DIR/webdis/pid")" || true
}

# A line for each request: some hundred megabytes in a round.
empty_logs() {
  local log
  for log in "$STACK_DIR"/{order-api-*,nginx}/log; do : >"$log"; done
}

refusals() { # the last of each log
  local log
  for log in "$STACK_DIR"/{order-api-*,nginx}/log; do
    grep -aE '"status": ?(4[0-8]|5)[0-9]' "$log" | tail -n 2 || true # but 499, of a client that has gone
  done
}

client() { # REQUEST BY CONNECTIONS
  case $2 in
    pgbench) with_pgbench "$1" "$3" ;;
    redis-benchmark) with_redis_benchmark "$1" "$3" ;;
    webdis) with_wrk "webdis-$1" "$3" "${url[webdis]}" ;;
    *) with_wrk "$1" "$3" "${url[$2]}" ;;
  esac
}

# One thread: it is enough, and takes the least of the two cores. wrk itself knows whole seconds alone.
with_wrk() { # SCRIPT CONNECTIONS URL
  timeout --foreground --preserve-status --signal=INT "$DURATION" \
    wrk --threads 1 --connections "$2" --duration 1h --script "bench/$1.lua" "$3" | sed -n 's/^measured //p'
}

# Of every tenth transaction it notes how long it took: of all, it would cost more.
with_pgbench() { # SCRIPT CONNECTIONS
  local log=$STACK_DIR/pgbench
  rm -f "$log".*
  "$postgres_bin/pgbench" --no-vacuum --protocol=prepared --client="$2" --jobs=2 --file="bench/$1.sql" \
    --time="$(awk -v seconds="$DURATION" 'BEGIN { print seconds < 1 ? 1 : int(seconds) }')" \
    --log --log-prefix="$log" --sampling-rate=0.1 --define=first="$next" --define=turn=-1 \
    --define=origin_lat=50.456399 --define=origin_lng=12.70758 --define=destination_lat=59.436487 \
    --define=destination_lng=24.747193 --define=distance=1256281 --define=limit=20 --define=offset=0 \
    "$DATABASE_URL" 2>&1 >"$log.said" | grep -v '^pgbench (' >&2 || true
  cat "$log".[0-9]* | awk '{ print $3 }' | sort -n | awk -v said="$log.said" '
    { time[NR] = $1 / 1000 }
    function at(share) { return time[int((NR - 1) * share) + 1] }
    END {
      while ((getline line <said) > 0) {
        if (line ~ /actually processed/) { sub(/.*: /, "", line); answers = line + 0 }
        if (line ~ /^number of failed/) { sub(/.*: /, "", line); failed = line + 0 }
        if (line ~ /^tps/) { sub(/.*= /, "", line); rate = line + 0 }
      }
      print answers + 0, rate ? answers / rate : 0, at(0.5), at(0.99), failed + 0, 0
    }'
}

with_redis_benchmark() { # SCRIPT CONNECTIONS
  local requests command=(LPOP message_queue)
  [[ $1 == pop ]] || command=(RPUSH message_queue "$MESSAGE")
  requests=$(awk -v seconds="$DURATION" 'BEGIN { print int(100000 * seconds) }')
  redis-benchmark -p "$REDIS_PORT" -c "$2" -n "$requests" --csv "${command[@]}" |
    awk -F '","' -v requests="$requests" 'END { print requests, requests / $2, $5, $7, 0, 0 }'
}
