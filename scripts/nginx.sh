#!/usr/bin/env bash
# Nginx in front of the service, with the configuration in nginx/, its log in DIR/log:
#   nginx.sh check LISTEN                     fails with a sentence when the port is in use
#   nginx.sh start DIR LISTEN UPSTREAM...     nginx.sh start var/nginx 127.0.0.1:8080 127.0.0.1:8000
#   nginx.sh alive DIR
#   nginx.sh stop DIR                         lets requests under way finish first
set -euo pipefail
trap '' INT # Ctrl-C is the caller's to act upon: nothing here is left half done

PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)

check() {
  local host=${1%:*} port=${1##*:}
  if (: >"/dev/tcp/$host/$port") 2>/dev/null; then
    echo "Port $port is in use. Take another one: PORT=$((port + 1)) make run" >&2
    return 1
  fi
}

# The one file in which this place differs from others: where to listen, whom to ask, where to keep bodies.
site() {
  echo "client_body_temp_path client_body;"
  echo "proxy_temp_path proxy;"
  echo "upstream order_api {"
  echo "    zone order_api 64k;"
  printf '    server %s max_fails=3 fail_timeout=2s;\n' "${@:2}"
  echo "    include upstream.conf;"
  echo "}"
  echo "server {"
  echo "    listen $1 backlog=4096;"
  echo "    include server.conf;"
  echo "}"
}

prefix() { cat "$1/prefix" 2>/dev/null || echo none; }
alive() { "$here/process.sh" alive "$1/pid" "-p $(prefix "$1")"; }
end() { "$here/process.sh" end "$1/pid" "-p $(prefix "$1")" "$2" "$3"; }

start() {
  local dir=$1 listen=$2 run command
  mkdir -p "$dir"
  stop "$dir"
  check "$listen"

  # Under /tmp, because as root its workers are another user, who may not get to DIR.
  run=$(mktemp -d /tmp/order-api.XXXXXX)
  echo "$run" >"$dir/prefix"
  echo none >"$dir/pid"
  chmod 711 "$run"
  cp "$here"/../nginx/*.conf "$run"
  site "${@:2}" >"$run/site.conf"

  command=(nginx -e stderr -p "$run" -c "$run/nginx.conf" -g 'daemon off; worker_processes auto;')
  [[ ! -e $dir/log ]] || mv "$dir/log" "$dir/log.old"
  "${command[@]}" -t -q >"$dir/log" 2>&1 || failed "$dir"
  setsid "${command[@]}" </dev/null >>"$dir/log" 2>&1 &
  echo $! >"$dir/pid"
  until [[ -s $run/nginx.pid ]]; do # written once it listens
    kill -0 $! 2>/dev/null || failed "$dir"
    sleep 0.02
  done
}

failed() {
  echo "Nginx did not start:" >&2
  cat "$1/log" >&2
  stop "$1"
  exit 1
}

# The workers that outlived a killed master: they are in the session that began with it.
orphans() {
  { cat /proc/[0-9]*/stat 2>/dev/null || true; } |
    awk -v session="$(cat "$1/pid")" '$2 == "(nginx)" && $3 != "Z" && $6 == session { print $1 }'
}

stop() {
  local run pids status=0
  [[ -e $1/prefix ]] || return 0
  end "$1" QUIT 20 || { end "$1" TERM 5 && status=1; }
  while pids=$(orphans "$1") && [[ -n $pids ]]; do
    xargs kill -KILL <<<"$pids" || true
    sleep 0.02
  done
  run=$(prefix "$1")
  [[ $run != /tmp/order-api.* ]] || rm -rf "$run"
  rm -f "$1/prefix" "$1/pid"
  return $status
}

"$@"
