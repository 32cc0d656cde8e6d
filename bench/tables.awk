# Makes Markdown tables of the results of measure.sh, medians over the rounds, with the targets beside them:
# awk -f bench/tables.awk bench/targets RESULTS

BEGIN {
  name["place"] = "`POST /orders`"
  name["take"] = "`PATCH /orders/<id>`"
  name["list"] = "`GET /orders?page=1&limit=20`"
  name["show"] = "`GET /orders/<id>`"
  name["push"] = "`POST /api/queue/push`"
  name["pop"] = "`POST /api/queue/pop`"
  by["serve"] = "the service"
  by["nginx"] = "the service through Nginx"
  parts = split("serve other nginx postgres redis webdis client", part, " ")
}

/^#/ { next }

FILENAME ~ /targets$/ {
  target[++targets] = $0
  next
}

{
  key = $1 " " $2 " " $3
  if (!(key in rounds)) keys[++measured] = key
  i = ++rounds[key]
  rate[key, i] = $4 / $5
  p50[key, i] = $6
  p99[key, i] = $7
  for (p = 1; p <= parts; p++) {
    spent = $(16 + p) - $(7 + p)
    cpu[part[p], key, i] = spent * 10 / $4 # hundredths of a second, to seconds for 1,000 requests
    ours += spent
  }
  # Either process of the service is idle while the other is asked.
  cpu["service", key, i] = cpu["serve", key, i] + cpu["other", key, i]
  busy += $24 - $15
  all += $25 - $16
}

function median(values, key, count,    i, j, value, sorted) {
  for (i = 1; i <= count; i++) {
    value = values[key, i]
    for (j = i - 1; j >= 1 && sorted[j] > value; j--) sorted[j + 1] = sorted[j]
    sorted[j + 1] = value
  }
  return (sorted[int((count + 1) / 2)] + sorted[int(count / 2) + 1]) / 2
}

# The median of the rounds' own ratios: what disturbs a round disturbs both sides of it.
function ratio(values, key, base,    i, ratios) {
  for (i = 1; i <= rounds[key]; i++) ratios["", i] = values[key, i] / values[base, i]
  return median(ratios, "", rounds[key])
}

function typical(values, key) { return median(values, key, rounds[key]) }

function spent_by(of, key) { return median(cpu, of SUBSEP key, rounds[key]) }

function cost(of, key,    value) {
  value = spent_by(of, key)
  return value < 0.0005 ? "" : sprintf("%.3f", value)
}

function thousands(number,    text) {
  text = sprintf("%.0f", number)
  return length(text) > 3 ? substr(text, 1, length(text) - 3) "," substr(text, length(text) - 2) : text
}

function heading(columns,    line) {
  line = columns
  gsub(/[^|]+/, " --- ", line)
  gsub(/\|/, " | ", columns)
  print "\n| " columns " |\n|" line "|"
}

function met(yes) { return yes ? "met" : "**missed**" }

function ratios(    t, f, key, base, value, rows) {
  for (t = 1; t <= targets; t++) {
    split(target[t], f, " ")
    key = f[2] " " f[3] " " f[4]
    base = f[2] " " f[5] " " f[6]
    if (f[1] != "ratio" || !(key in rounds)) continue
    if (!rows++) heading("request|connections|req/s|against|req/s|ratio|at least|target")
    value = ratio(rate, key, base)
    printf "| %s%s | %d | %s | %s, %d | %s | %.2f | %s | %s |\n", name[f[2]], f[3] == "nginx" ? " through Nginx" : "",
      f[4], thousands(typical(rate, key)), f[5], f[6], thousands(typical(rate, base)), int(value * 100) / 100, f[7], met(value >= f[7])
  }
}

function latencies(    t, f, key, value, rows) {
  for (t = 1; t <= targets; t++) {
    split(target[t], f, " ")
    key = f[2] " " f[3] " " f[4]
    if (f[1] != "p99" || !(key in rounds)) continue
    if (!rows++) heading("request|connections|p99, ms|under|target")
    value = typical(p99, key)
    printf "| %s%s | %d | %.1f | %s | %s |\n", name[f[2]], f[3] == "nginx" ? " through Nginx" : "", f[4], value, f[5],
      met(value < f[5])
  }
}

function everything(    k, key, f, rows) {
  for (k = 1; k <= measured; k++) {
    key = keys[k]
    split(key, f, " ")
    if (f[2] == "this" || f[2] == "other") continue
    if (!rows++) heading("request|by|connections|req/s|p50, ms|p99, ms|CPU s/1,000: service|Nginx|PostgreSQL|Redis|Webdis|client")
    printf "| %s | %s | %d | %s | %.2f | %.2f | %s | %s | %s | %s | %s | %s |\n", name[f[1]],
      f[2] in by ? by[f[2]] : f[2], f[3], thousands(typical(rate, key)), typical(p50, key), typical(p99, key),
      cost("service", key), cost("nginx", key), cost("postgres", key), cost("redis", key), cost("webdis", key),
      cost("client", key)
  }
}

function comparison(    k, key, other, f, rows) {
  for (k = 1; k <= measured; k++) {
    key = other = keys[k]
    if (!sub(/ this /, " other ", other)) continue
    if (!rows++) heading("request|connections|req/s: this|other|ratio|p50, ms: this|other|ratio|CPU s/1,000 of the service: this|other|ratio|of PostgreSQL: this|other")
    split(key, f, " ")
    printf "| %s | %d | %s | %s | %.2f | %.3f | %.3f | %.2f | %s | %s | %.2f | %s | %s |\n", name[f[1]], f[3],
      thousands(typical(rate, key)), thousands(typical(rate, other)), ratio(rate, key, other),
      typical(p50, key), typical(p50, other), ratio(p50, key, other),
      cost("service", key), cost("service", other), spent_by("service", key) / spent_by("service", other),
      cost("postgres", key), cost("postgres", other)
  }
}

END {
  if (measured) {
    ratios()
    latencies()
    everything()
    comparison()
    printf "\nWhat else ran on the machine took %.0f %% of its CPU time meanwhile.\n", 100 * (busy - ours) / all
  }
}
