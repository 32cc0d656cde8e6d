# shellcheck shell=bash
# The tables, on standard output and, of a whole run, in bench/README.md; sourced by measure.sh.

report() {
  tables | tee "$results.md"
  [[ $PUBLISH == 0 || -e $results.wrong ]] || publish
}

tables() {
  machine
  if [[ -e $results.wrong ]]; then
    printf '\n**Wrong answers, so take nothing from this run:**\n\n'
    sed 's/^/- /' "$results.wrong"
  fi
  awk -f bench/tables.awk bench/targets "$results"
  cat "$results.memory"
  [[ ! -s $results.overload ]] || overload_table <"$results.overload"
}

machine() {
  local version
  printf '%s, commit %s: %s cores of %s, %s GiB, Linux %s, ' "$(date +%F)" \
    "$(git describe --always --dirty --exclude "*" 2>/dev/null || echo unknown)" "$(nproc)" \
    "$(awk -F ': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)" \
    "$(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)" "$(uname -r)"
  version=$("$postgres_bin/postgres" --version)
  printf 'PostgreSQL %s, ' "$(awk '{ print $3 }' <<<"$version")"
  printf 'Redis %s, ' "$(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/')"
  printf 'Nginx %s, ' "$(PATH=$PATH:/usr/sbin nginx -v 2>&1 | sed 's/.*nginx\/\([^ ]*\).*/\1/')"
  printf 'wrk %s, Webdis %s, ' "$(package_version wrk)" "$(package_version webdis)"
  printf 'rustc %s\n' "$(rustc --version | awk '{ print $2 }')"
}

package_version() { dpkg-query --show --showformat='${Version}' "$1" 2>/dev/null || echo unknown; }

memory_table() {
  local serve part
  serve=$(memory serve)
  printf '\n| process | memory, MiB | under | target |\n| --- | --- | --- | --- |\n'
  printf '| the service, peak | %s | 64 | %s |\n' "$serve" "$(met "$serve < 64")"
  for part in other nginx redis webdis; do
    [[ ! -v pid[$part] ]] || printf '| %s, peak | %s | | |\n' "${part/other/the other build}" "$(memory "$part")"
  done
  printf '| postgres, at the end | %s | | |\n' "$(memory postgres)"
}

met() { awk "BEGIN { print ($1) ? \"met\" : \"**missed**\" }"; }

overload_table() {
  local rate seconds ok_count ok_p50 ok_p99 ok_most no_count no_p50 no_p99 no_most broken well memory
  read -r rate seconds ok_count ok_p50 ok_p99 ok_most no_count no_p50 no_p99 no_most _ broken well memory
  cat <<END

Overload: \`POST /orders\` on $overload_connections connections for $(printf '%.0f' "$seconds") s, $rate/s wanted, \
$(awk "BEGIN { printf \"%d\", ($ok_count + $no_count) / $seconds }")/s sent and answered, $broken connections broken.

| | answers | p50, ms | p99, ms | longest, ms | | target |
| --- | --- | --- | --- | --- | --- | --- |
| placed (\`200\`) | $ok_count | $ok_p50 | $ok_p99 | $ok_most | p99 < 250 ms | $(met "$ok_p99 < 250") |
$(if ((no_count)); then
    echo "| refused (\`503\`) | $no_count | $no_p50 | $no_p99 | $no_most | p99 < 50 ms | $(met "$no_p99 < 50") |"
  else
    echo '| refused (`503`) | 0 | | | | some, p99 < 50 ms | **missed** |'
  fi)
| well again | | | | $well | < 1,000 ms after | $(met "$well < 1000") |
| peak memory of the service | $memory MiB | | | | < 64 MiB | $(met "$memory < 64") |
END
}

publish() {
  local page=bench/README.md
  awk -v table="$results.md" '
    /^<!-- end of the tables -->/ { keep = 0; while ((getline line <table) > 0) print line; print "" ; skip = 0 }
    !skip
    /^<!-- tables -->/ { skip = 1; print "" }
  ' "$page" >"$results.page"
  cp "$results.page" "$page"
}
