# shellcheck shell=bash
# Three times as many orders as the service can place, on more connections than may wait in a lane; sourced by measure.sh.

# A lane lets 1,024 wait and has 256 under way: with fewer connections nothing is ever refused.
overload_connections=2000

# Says: the rate that was asked for; what overload.lua says; how long after its end it was well again, in
# milliseconds; and the most that the service ever had in memory, in MiB.
overload() {
  local rate seconds newest said accepted other ended
  progress overload
  rate=$(awk '$1 == "place" && $2 == "serve" && $3 == 64 && $4 / $5 > most { most = $4 / $5 }
    END { print int(3 * (most ? most : 10000)) }' "$results")
  seconds=$( ((SMOKE)) && echo 2 || echo 8)
  ulimit -n 8192
  newest=$(sql 'SELECT coalesce(max(id), 0) FROM orders')
  said=$(RATE=$rate wrk --threads 1 --connections "$overload_connections" --duration "$seconds" --script bench/overload.lua \
    "${url[serve]}" | sed -n 's/^overload //p')
  ended=$(date +%s%3N)
  until_well
  read -r _ accepted _ _ _ _ _ _ _ other _ <<<"$said"
  ((accepted > 0 && other == 0)) || wrong "overload: $accepted orders placed, $other answers neither 200 nor 503"
  count_placed overload "$newest" $((accepted + probes)) "$overload_connections"
  echo "$rate $said $((well - ended)) $(memory serve)"
}

# Until twenty orders in a row were placed within 50 ms each: when the first of them was sent, and all that were placed.
until_well() {
  local row=0 sent status milliseconds
  probes=0 well=$((ended + 30000))
  while ((row < 20)); do
    sent=$(date +%s%3N)
    ((sent - ended < 30000)) || {
      wrong "the service was not well again 30 s after the overload"
      return
    }
    status=$(curl --silent --max-time 1 --output /dev/null --write-out '%{http_code}' "${url[serve]}/orders" \
      --data '{"origin": ["50.456399", "12.707580"], "destination": ["59.436487", "24.747193"]}') || true
    milliseconds=$(($(date +%s%3N) - sent)) # with the start of curl
    [[ $status != 200 ]] || probes=$((probes + 1))
    if [[ $status != 200 ]] || ((milliseconds > 50)); then
      row=0
      continue
    fi
    ((row++)) || well=$sent
  done
}
